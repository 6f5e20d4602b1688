import type { Config } from "../shared/config-schema.js";
import { defaultConfigFile } from "../shared/config.js";
import type { ServiceName } from "../shared/lifecycle.js";
import type { ServerEvent, ServiceEvent, StackEvent, StepEvent } from "../stack/stack-event.js";
import { secondsText } from "./quantities.js";
import type { Paint } from "./terminal.js";
import { visibleLength } from "./text-table.js";

/** What has come of the start so far: the last event of each step, server and service, in the order of their first. */
export interface UpState {
  readonly steps: Map<string, StepEvent>;
  readonly servers: Map<string, ServerEvent>;
  readonly services: Map<ServiceName, ServiceEvent>;
}

export function openUpState(): UpState {
  return { steps: new Map(), servers: new Map(), services: new Map() };
}

export function noteEvent(state: UpState, event: StackEvent): void {
  if (event.kind === "step") state.steps.set(event.step, event);
  else if (event.kind === "server") state.servers.set(event.server, event);
  else state.services.set(event.service, event);
}

const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const STEP_WIDTH = 22;

/** The start as lines that fit the terminal: what is done, and what is being done for how long. */
export function startView(
  { steps, servers }: UpState,
  options: { columns: number; frame: number; paint: Paint },
): string[] {
  const { columns, frame, paint } = options;
  const lines = [...servers.values()]
    .filter(({ state }) => state === "found")
    .map(({ title, address }) => `${paint("green", "✔")} ${title.padEnd(STEP_WIDTH)} runs at ${address}`);
  for (const { step, state, detail, elapsedMs } of steps.values()) {
    const mark = state === "done" ? paint("green", "✔") : paint("yellow", SPINNER[frame % SPINNER.length]);
    const head = `${mark} ${step.padEnd(STEP_WIDTH)} ${secondsText(elapsedMs / 1000).padStart(7)}  `;
    lines.push(head + paint("dim", detail.slice(0, Math.max(0, columns - 1 - visibleLength(head)))));
  }
  return lines;
}

/** One line for an event, where no person watches lines change; null where it only tells of progress. */
export function eventLine(event: StackEvent): string | null {
  switch (event.kind) {
    case "step": {
      if (event.state === "running") return null;
      const detail = event.detail === "" ? "" : `: ${event.detail}`;
      return `${event.step} done in ${secondsText(event.elapsedMs / 1000)}${detail}`;
    }
    case "server": {
      const { title, state, address, logFile } = event;
      if (state === "found") return `${title} runs at ${address} already`;
      if (state === "exited") return `${title} ended unasked and is ${againIn(event)} (log: ${logFile})`;
      return `${title} ${state}${state === "started" ? ` at ${address}` : ""}`;
    }
    case "service": {
      const { service, state, pid, reason, logFile } = event;
      if (state === "started") return `${service} started as process ${pid}`;
      if (state === "stopped") return `${service} stopped`;
      return `${service} ${state === "failed" ? "stays down" : `is ${againIn(event)}`}: ${reason} (log: ${logFile})`;
    }
  }
}

function againIn({ restartInMs }: ServerEvent | ServiceEvent): string {
  return `started again in ${secondsText((restartInMs ?? 0) / 1000)}`;
}

/** Servers and services that are not up, a line each. */
export function troubleLines({ servers, services }: UpState, paint: Paint): string[] {
  return [...servers.values(), ...services.values()]
    .filter(({ state }) => state === "exited" || state === "failed")
    .map((event) => paint("red", eventLine(event) ?? ""));
}

/** Where to go from here; what is typed works as it stands, so no line is broken by a terminal of 80 columns. */
export function nextLines({ extract, load, stack }: Config, configFile: string, paint: Paint): string[] {
  const { url, org, bucket, token_file } = load.influxdb;
  const millrace = `npx millrace${configFile === defaultConfigFile ? "" : ` --config ${configFile}`}`;
  return [
    paint("bold", "Where to look next"),
    `  ${millrace} tail metrics.features    the features, as JSON lines`,
    `  ${millrace} status --json            this picture, for machines`,
    `  Prometheus is at ${extract.prometheus.url}, logs are in ${stack.home}/logs.`,
    "  In InfluxDB:",
    `    curl -s '${url}/api/v2/query?org=${encodeURIComponent(org)}' \\`,
    `      -H "Authorization: Token $(cat ${token_file})" \\`,
    `      -H 'Content-Type: application/vnd.flux' \\`,
    `      -d 'from(bucket: "${bucket}") |> range(start: -1m)`,
    `          |> filter(fn: (r) => r._field == "mean_5m") |> last()'`,
  ];
}
