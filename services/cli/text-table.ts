import { stripVTControlCharacters } from "node:util";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** Rows under titles, two spaces between columns, no space at the end of a line. Cells may hold colours. */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const lines = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, i) => Math.max(...lines.map((cells) => visibleLength(cells[i]))));
  return lines.map((cells) =>
    cells
      .map((cell, i) => {
        const space = " ".repeat(widths[i] - visibleLength(cell));
        return columns[i].align === "right" ? space + cell : cell + space;
      })
      .join("  ")
      .trimEnd(),
  );
}

export function visibleLength(text: string): number {
  return stripVTControlCharacters(text).length;
}
