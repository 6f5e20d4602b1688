import { createLogUpdate } from "log-update";
import type { Config } from "../shared/config-schema.js";
import { exitCodes } from "../shared/errors.js";
import { bringUpWithDocker } from "../stack/docker.js";
import type { StackEvent } from "../stack/stack-event.js";
import { type Stack, bringUp } from "../stack/up.js";
import { secondsText } from "./quantities.js";
import type { StatusReport } from "./status-report.js";
import { statusView } from "./status-view.js";
import { systemReader, watchStatus } from "./status.js";
import type { Terminal } from "./terminal.js";
import { eventLine, nextLines, noteEvent, openUpState, startView, troubleLines } from "./up-view.js";

export interface UpOptions {
  readonly docker?: boolean;
  readonly json?: boolean;
}

/** How often a live view is drawn anew while the system starts, and how often a plain one tells of long work. */
const DRAW_MS = 100;
const PROGRESS_MS = 10_000;
/** How often a plain view tells the state, once it is up. */
const PLAIN_STATUS_MS = 60_000;
/** npm passes Ctrl-C on to a process that has it from the terminal already. */
const SAME_PRESS_MS = 1_000;

/** What `up` shows, in one of three ways. */
interface Display {
  readonly onEvent: (event: StackEvent) => void;
  readonly onStatus: (report: StatusReport) => void;
  readonly onStopping: () => void;
  readonly close: () => void;
}

/** Brings everything up, shows its state until Ctrl-C, and takes it all down again. */
export async function runUp(
  configFile: string,
  config: Config,
  options: UpOptions,
  terminal: Terminal,
): Promise<number> {
  const { stopping } = terminal;
  const display = displayOf(configFile, config, options, terminal);
  const bring = { onEvent: display.onEvent, signal: stopping };
  const stack =
    options.docker === true ? bringUpWithDocker(bring) : bringUp(config, { configFile, ...bring });
  killWhatIsLeft(stack, stopping);
  try {
    await stack.started;
    for await (const report of watchStatus(systemReader(config), stopping)) display.onStatus(report);
  } catch (error) {
    // Ctrl-C in the middle of the start is no failure.
    if (!stopping.aborted) throw error;
  } finally {
    display.onStopping();
    await stack.stop();
    display.close();
  }
  return exitCodes.ok;
}

/** A second Ctrl-C, or a defect, waits for nothing; and however this process ends, nothing that it started is left. */
function killWhatIsLeft(stack: Stack, stopping: AbortSignal): void {
  let stoppingSince = Infinity;
  stopping.addEventListener("abort", () => (stoppingSince = performance.now()), { once: true });
  process.on("SIGINT", () => {
    if (performance.now() - stoppingSince > SAME_PRESS_MS) process.exit(exitCodes.failure);
  });
  process.on("exit", () => stack.kill());
}

function displayOf(configFile: string, config: Config, options: UpOptions, terminal: Terminal): Display {
  if (options.json === true) return jsonDisplay();
  const next = (paint: Terminal["paint"]) => nextLines(config, configFile, paint);
  return terminal.isLive ? liveDisplay(terminal, next) : plainDisplay(terminal, next);
}

type NextLines = (paint: Terminal["paint"]) => string[];

/** Terminal.print is silent once the person has asked for the end; how that goes is to be told, too. */
function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function jsonDisplay(): Display {
  const print = (value: object) => say(JSON.stringify(value));
  return {
    onEvent: (event) => print(event),
    onStatus: (report) => print({ kind: "status", ...report }),
    onStopping: () => print({ kind: "stopping" }),
    close: () => undefined,
  };
}

function plainDisplay({ paint }: Terminal, next: NextLines): Display {
  const state = openUpState();
  let toldAt = performance.now();
  let wasReady = false;
  const tell = (text: string) => {
    toldAt = performance.now();
    say(text);
  };
  return {
    onEvent: (event) => {
      noteEvent(state, event);
      const line = eventLine(event);
      if (line !== null) tell(line);
      else if (event.kind === "step" && performance.now() - toldAt >= PROGRESS_MS)
        tell(`  ${event.step}, ${secondsText(event.elapsedMs / 1000)}: ${event.detail}`);
    },
    onStatus: (report) => {
      const isNews = report.ready && !wasReady;
      if (!isNews && performance.now() - toldAt < PLAIN_STATUS_MS) return;
      tell(["", ...statusView(report, paint), ...(isNews ? ["", ...next(paint)] : []), ""].join("\n"));
      wasReady = report.ready;
    },
    onStopping: () => tell("stopping"),
    close: () => undefined,
  };
}

function liveDisplay({ paint, columns }: Terminal, next: NextLines): Display {
  const state = openUpState();
  const draw = createLogUpdate(process.stdout);
  let frame = 0;
  let status: StatusReport | null = null;
  let isStopping = false;
  const lines = () => {
    const start = [paint("bold", "Millrace is starting"), ...startView(state, { columns, frame, paint })];
    if (status === null && !isStopping) return start;
    const running = [...servicesAndServers(), ...(status === null ? [] : statusView(status, paint))];
    if (isStopping) return [...running, "", paint("bold", "Stopping: nothing is lost, and the data stay.")];
    return [...running, "", ...next(paint), "", paint("dim", "Ctrl-C stops all of it.")];
  };
  const servicesAndServers = () => {
    const troubles = troubleLines(state, paint);
    return troubles.length === 0 ? [] : [...troubles, ""];
  };
  const redraw = () => draw(lines().join("\n"));
  const drawing = setInterval(() => {
    frame++;
    // Once it is up, what changes is drawn when it changes.
    if (status === null) redraw();
  }, DRAW_MS);
  return {
    onEvent: (event) => {
      noteEvent(state, event);
      if (status !== null) redraw();
    },
    onStatus: (report) => {
      status = report;
      redraw();
    },
    onStopping: () => {
      isStopping = true;
      redraw();
    },
    close: () => {
      clearInterval(drawing);
      draw.done();
    },
  };
}
