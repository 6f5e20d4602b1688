/** The import rules of the project: the folders are the dataflow, and no service knows another. */
const services = ["poller", "processor", "sink", "orchestrator", "api", "client", "simulator", "stack"];

module.exports = {
  forbidden: [
    ...services.map((service) => ({
      name: `${service}-imports-only-itself-kernels-and-shared`,
      severity: "error",
      from: { path: `^services/${service}/` },
      to: { path: "^services/", pathNot: `^services/(${service}|kernels|shared)/` },
    })),
    {
      name: "shared-imports-no-service",
      severity: "error",
      from: { path: "^services/shared/" },
      to: { path: "^services/", pathNot: "^services/(shared|kernels)/" },
    },
    {
      name: "kernels-are-pure",
      comment: "No I/O, no clock, no RxJS, no Kafka: only arithmetic.",
      severity: "error",
      from: { path: "^services/kernels/" },
      to: { pathNot: "^services/kernels/" },
    },
    {
      name: "no-service-imports-the-cli-or-tests",
      severity: "error",
      from: { path: "^services/", pathNot: "^services/cli/" },
      to: { path: "^(services/cli|test)/" },
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "no-dev-packages-in-services",
      severity: "error",
      from: { path: "^services/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
    },
  },
};
