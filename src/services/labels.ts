/** A label for each of some numbered things, few labels for many things, so that things are counted quickly by them. */
export class Labels<T> {
  readonly labels: T[] = [];
  /** Where in `labels` the label of a thing stands, by its number. */
  readonly places: number[] = [];

  give(number: number, label: T): void {
    const known = this.labels.indexOf(label);
    this.places[number] = known >= 0 ? known : this.labels.push(label) - 1;
  }

  counter() {
    const { labels, places } = this;
    const counts = new Uint32Array(labels.length);
    return {
      add: (number: number): void => {
        const place = places[number] as number;
        counts[place] = (counts[place] as number) + 1;
      },
      /** Those that were met. */
      counts: () => labels.map((label, i) => [label, counts[i] ?? 0] as const).filter(([, count]) => count > 0),
    };
  }
}
