import { fillingPlans } from "./made-input.js";
import { describeSameFeatures } from "./same-features.js";

for (const [name, plan] of Object.entries(fillingPlans)) describeSameFeatures(name, plan);
