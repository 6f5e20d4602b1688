import type { ServiceName } from "../shared/lifecycle.js";
import type { ServerName } from "./server-name.js";

/** What happens while the stack comes up, runs and goes down; for whoever shows it. */
export type StackEvent = StepEvent | ServerEvent | ServiceEvent;

/** Work with an end: `acquire kafka`, `start registry`, `prepare`. Steps run side by side. */
export interface StepEvent {
  readonly kind: "step";
  /** Names the step: the same in all of its events. */
  readonly step: string;
  readonly state: "running" | "done";
  /** What it is doing, or what came of it; one line, maybe long, maybe empty. */
  readonly detail: string;
  readonly elapsedMs: number;
}

export interface ServerEvent {
  readonly kind: "server";
  readonly server: ServerName;
  readonly title: string;
  /** `found`: it was there already, and is none of ours. */
  readonly state: "started" | "found" | "exited" | "stopped";
  readonly address: string;
  /** Null for a server that is not ours. */
  readonly logFile: string | null;
  /** After `exited`: when it is started again. */
  readonly restartInMs: number | null;
}

export interface ServiceEvent {
  readonly kind: "service";
  readonly service: ServiceName;
  /** `failed`: it will not be started again, for it would fail again. */
  readonly state: "started" | "exited" | "failed" | "stopped";
  readonly pid: number | null;
  /** After `exited` and `failed`: the error that the service logged last, one line, or how it ended. */
  readonly reason: string | null;
  readonly restartInMs: number | null;
  readonly logFile: string;
}
