import { measuredPlans } from "./made-input.js";
import { describeSameFeatures } from "./same-features.js";

for (const [name, plan] of Object.entries(measuredPlans))
  describeSameFeatures(name, plan, name === "plain" ? 10 : 1);
