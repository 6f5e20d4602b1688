import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of a test's own, with a PATH that has only the tools that the test writes. */
export interface FakeTools {
  readonly folder: string;
  /** PATH, and a home folder within. */
  readonly environment: Readonly<Record<string, string>>;
  /** Writes a shell script onto that PATH. What it uses itself is the system's. */
  readonly write: (name: string, script: string) => string;
  /** A Java of that version, told by its file `release`, for JAVA_HOME. */
  readonly writeJava: (version: number, script: string) => { JAVA_HOME: string };
  readonly remove: () => void;
}

/** The folder's name has a blank: people's home folders do. */
export function fakeTools(): FakeTools {
  const folder = mkdtempSync(join(tmpdir(), "millrace tools-"));
  const bin = join(folder, "bin");
  const home = join(folder, "home");
  for (const made of [bin, home]) mkdirSync(made);
  const writeScript = (file: string, script: string) => {
    writeFileSync(file, `#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n${script}\n`);
    chmodSync(file, 0o755);
    return file;
  };
  return {
    folder,
    environment: { PATH: bin, HOME: home },
    write: (name, script) => writeScript(join(bin, name), script),
    writeJava: (version, script) => {
      const java = join(folder, `java-${version}`);
      mkdirSync(join(java, "bin"), { recursive: true });
      writeFileSync(join(java, "release"), `IMPLEMENTOR="None"\nJAVA_VERSION="${version}.0.1"\n`);
      writeScript(join(java, "bin/java"), script);
      return { JAVA_HOME: java };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
