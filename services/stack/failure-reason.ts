/** How Maven, apt, `go mod download -json` and Rust begin the line that tells what went wrong. */
const TOOL_ERROR = /^(\[ERROR\] |E: |"Error": |error(\[\w+\])?: |fatal)/;
/** How servers mark errors in their logs: log4j and JBoss, logfmt, Go, Java. */
const SERVER_ERROR = /\b(ERROR|FATAL)\b|\b(lvl|level)=error\b|^(Error|panic|fatal error): |Exception: /;
/** A call in a Java stack trace. */
const STACK_FRAME = /^\s*(at \S+\(|\.\.\. \d+ more)/;

export function isToolError(line: string): boolean {
  return TOOL_ERROR.test(line);
}

/**
 * Why a server ended, out of its last lines: the last error in them, else the last line that is no stack frame. The
 * very last line often only tells how it shut down. Null where there is no line.
 */
export function reasonIn(lines: readonly string[]): string | null {
  const said = lines.filter((line) => !STACK_FRAME.test(line));
  const reason = said.findLast((line) => SERVER_ERROR.test(line)) ?? said.at(-1) ?? lines.at(-1);
  return reason?.trim() ?? null;
}

/** Whether the system refused to write for want of space. */
export function isDiskFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "");
}

/** Whether a line says so, of whatever program. */
export function saysDiskFull(line: string): boolean {
  return /no space left on device|disk quota exceeded/i.test(line);
}
