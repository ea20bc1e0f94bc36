// Writing BSON, element by element.
import { bsonType, checkGrowth, MAX_BYTES, type RawValue, toRaw, wholeDocument } from './raw-bson.ts';

/** Writes elements behind one another and gives the document of them. */
export class DocumentWriter {
  #buffer = Buffer.allocUnsafe(512);
  #end = 4;

  add(name: string, { type, buffer, start, end }: RawValue): this {
    this.#addHead(name, type, end - start);
    this.#end += buffer.copy(this.#buffer, this.#end, start, end);
    return this;
  }

  addValue(name: string, value: unknown): this {
    return this.add(name, toRaw(value));
  }

  addDocument(name: string, document: Buffer, type: number = bsonType.object): this {
    return this.add(name, { type, buffer: document, start: 0, end: document.length });
  }

  /** Adds the elements of a document. */
  addAll(document: Buffer): this {
    this.#makeRoom(document.length);
    this.#end += document.copy(this.#buffer, this.#end, 4, document.length - 1);
    return this;
  }

  /** Adds an array of whole documents. */
  addDocuments(name: string, documents: readonly Buffer[]): this {
    return this.addNested(
      name,
      () => {
        for (const [i, document] of documents.entries()) this.addDocument(String(i), document);
      },
      bsonType.array,
    );
  }

  /** Adds a document (or array) of what `write` adds to this writer. */
  addNested(name: string, write: () => void, type: number = bsonType.object): this {
    this.#addHead(name, type, 4);
    const start = this.#end;
    this.#end += 4;
    write();
    this.#close(start);
    return this;
  }

  finish(): Buffer {
    this.#close(0);
    return this.#buffer.subarray(0, this.#end);
  }

  #addHead(name: string, type: number, valueLength: number): void {
    // A character takes at most three bytes.
    this.#makeRoom(name.length * 3 + 2 + valueLength);
    this.#buffer[this.#end] = type;
    this.#end += 1 + this.#buffer.write(name, this.#end + 1);
    this.#buffer[this.#end++] = 0;
  }

  #close(start: number): void {
    this.#makeRoom(1);
    this.#buffer[this.#end++] = 0;
    this.#buffer.writeInt32LE(this.#end - start, start);
  }

  #makeRoom(bytes: number): void {
    if (this.#end + bytes <= this.#buffer.length) return;
    checkGrowth(this.#end + bytes);
    const larger = Buffer.allocUnsafe(Math.max(this.#end + bytes, Math.min(this.#buffer.length * 2, MAX_BYTES)));
    this.#buffer.copy(larger, 0, 0, this.#end);
    this.#buffer = larger;
  }
}

/** A document of those fields that have a value. */
export function documentOf(fields: Iterable<readonly [name: string, value: RawValue | undefined]>): RawValue {
  const writer = new DocumentWriter();
  for (const [name, value] of fields) if (value) writer.add(name, value);
  return wholeDocument(writer.finish());
}

export function arrayOf(values: Iterable<RawValue>): RawValue {
  const writer = new DocumentWriter();
  let index = 0;
  for (const value of values) writer.add(String(index++), value);
  const buffer = writer.finish();
  return { type: bsonType.array, buffer, start: 0, end: buffer.length };
}
