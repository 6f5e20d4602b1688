/** The columns of a row-major table, each in one piece. */
export function tableColumns(values: Float64Array, columns: number): Float64Array[] {
  const rows = columns === 0 ? 0 : values.length / columns;
  return Array.from({ length: columns }, (_, column) => {
    const series = new Float64Array(rows);
    for (let row = 0; row < rows; row++) series[row] = values[row * columns + column];
    return series;
  });
}
