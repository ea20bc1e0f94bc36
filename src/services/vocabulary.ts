/** The words of the catalogue, each with those who have it: found by their beginning, or as the nearest to a typing error. */
import { editDistance } from './edit-distance.ts';
import { firstIndex, SortedList } from './sorted-list.ts';

/** A word that somebody has. */
export interface Word<Owner> {
  readonly text: string;
  readonly owners: Owner[];
}

/** The errors that a word of so many letters may have; none in short ones and in codes. */
const allowedErrors = (word: string) => (/\P{L}/u.test(word) || word.length < 4 ? 0 : word.length < 8 ? 1 : 2);

export class Vocabulary<Owner> {
  readonly #words = new Map<string, Word<Owner>>();
  /** In the order of their letters; made when it is first asked for, so that it is sorted once. */
  #sorted: SortedList<Word<Owner>> | null = null;

  /** @returns the words of these texts, to be given back to `remove` */
  add(owner: Owner, texts: readonly string[]): Word<Owner>[] {
    return texts.map((text) => {
      const word = this.#words.get(text) ?? this.#learn(text);
      word.owners.push(owner);
      return word;
    });
  }

  remove(owner: Owner, words: readonly Word<Owner>[]): void {
    for (const word of words) {
      word.owners.splice(word.owners.indexOf(owner), 1);
      if (word.owners.length > 0) continue;
      this.#words.delete(word.text);
      this.#sorted?.remove(word);
    }
  }

  startingWith(beginning: string): Word<Owner>[] {
    const { items } = this.#inOrder();
    const first = firstIndex(items, ({ text }) => text >= beginning);
    let end = first;
    while (items[end]?.text.startsWith(beginning)) end++;
    return items.slice(first, end);
  }

  /** The word with the fewest errors to this one, among those the one that most have; null when none is near. */
  nearest(typed: string): string | null {
    let best: Word<Owner> | null = null;
    let errors = allowedErrors(typed);
    for (const word of errors > 0 ? this.#words.values() : []) {
      const distance = editDistance(typed, word.text, errors);
      if (distance > errors) continue;
      if (best === null || distance < errors || isBetter(word, best)) best = word;
      errors = distance;
    }
    return best?.text ?? null;
  }

  #learn(text: string): Word<Owner> {
    const word = { text, owners: [] };
    this.#words.set(text, word);
    this.#sorted?.add(word);
    return word;
  }

  #inOrder(): SortedList<Word<Owner>> {
    this.#sorted ??= new SortedList(this.#words.values(), (a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
    return this.#sorted;
  }
}

const isBetter = (a: Word<unknown>, b: Word<unknown>) =>
  a.owners.length === b.owners.length ? a.text < b.text : a.owners.length > b.owners.length;
