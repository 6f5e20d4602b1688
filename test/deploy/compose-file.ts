import { readFileSync } from "node:fs";
import { parse } from "yaml";

export interface Healthcheck {
  test?: string[];
  disable?: boolean;
}

/** What the tests look at; docker-compose.test.ts checks the file against the whole specification first. */
export interface Service {
  image: string;
  build?: string;
  command?: string[];
  restart: string;
  user?: string;
  read_only: boolean;
  cap_drop: string[];
  security_opt: string[];
  stop_grace_period?: string;
  environment?: Record<string, string | number>;
  ports?: string[];
  volumes?: string[];
  secrets?: string[];
  configs?: { source: string; target: string }[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: Healthcheck;
}

export interface ComposeFile {
  services: Record<string, Service>;
  volumes: Record<string, null>;
  configs: Record<string, { file: string }>;
  secrets: Record<string, { file: string }>;
}

/** The text of a file of the repository. */
export function repositoryFile(path: string): string {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
}

export function composeFile(): ComposeFile {
  return parse(repositoryFile("docker-compose.yml"), { merge: true }) as ComposeFile;
}
