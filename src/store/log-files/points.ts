/** A place in a running log from which reading can begin. */
export interface Point {
  offset: number;
  /** Where the record of that offset stands in the file. */
  position: number;
  /** Newlines before it. */
  lines: number;
  at: number;
}

/** Points kept per log. When there are more, every second goes and the distance doubles: memory stays flat however long the log. */
const POINTS = 512;

/** Distance of the points at first: what one reading covers. */
const FIRST_DISTANCE_BYTES = 256 * 1024;

/** The sparse index of a running log. */
export function createPoints() {
  let points: Point[] = [];
  let distance = FIRST_DISTANCE_BYTES;
  return {
    add(point: Point): void {
      const last = points.at(-1);
      if (last !== undefined && point.offset - last.offset < distance) return;
      points.push(point);
      if (points.length < POINTS) return;
      points = points.filter((_, index) => index % 2 === 0);
      distance *= 2;
    },
    /** The last point at or before an offset. */
    before(offset: number): Point | undefined {
      let low = 0;
      let high = points.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((points[middle] as Point).offset <= offset) low = middle + 1;
        else high = middle;
      }
      return points[low - 1];
    },
    /** Forgets what stands at or behind an offset. */
    cut(offset: number): void {
      points = points.filter((point) => point.offset < offset);
    },
    list: (): readonly Point[] => points,
  };
}
export type Points = ReturnType<typeof createPoints>;
