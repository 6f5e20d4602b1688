import type { Config } from "../shared/config-schema.js";
import type { Environment } from "./run-tool.js";
import type { ServerName } from "./server-name.js";

/** What answers at an address: nothing, the server, the server that is not ready yet, or something else. */
export type Probe = "absent" | "ready" | "starting" | "other";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where the stack keeps things, all absolute. `data` and `config` are there, and nobody else may read them. */
export interface Folders {
  /** The server's program, unless it is on the PATH. */
  readonly program: string;
  /** What the server keeps. */
  readonly data: string;
  /** Configuration that is written anew at every start. */
  readonly config: string;
}

/** How to run a server. No secret may be in it: arguments are seen by every user of the machine. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Environment;
}

/** A server that Millrace can run on this machine, as plain functions of the configuration. */
export interface ServerDefinition {
  readonly name: ServerName;
  /** The configuration's key of its address. */
  readonly addressKey: string;
  readonly address: (config: Config) => Address;
  /** Ports that it needs besides, with the keys that set them. */
  readonly morePorts: (config: Config) => readonly { key: string; port: number; purpose: string }[];
  /** Servers that must be ready before it starts. */
  readonly needs: readonly ServerName[];
  readonly probe: (config: Config) => Promise<Probe>;
  /** Writes its configuration, prepares its data. May run the server's own tools. */
  readonly prepareLaunch: (
    config: Config,
    folders: Folders,
    environment: Environment,
    signal: AbortSignal,
  ) => Promise<Launch>;
  /** Once it answers for the first time: what only the running server can do. */
  readonly setUp?: (config: Config) => Promise<void>;
}
