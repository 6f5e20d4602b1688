import { readScaling } from "millrace/scaling";

const { inverse } = readScaling(process.argv[2]);
console.log(inverse({ job: "api" }, "cpu{}", "value", 1.5));
