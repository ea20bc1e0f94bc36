/** Where files that visitors may see are kept. Nothing outside this room knows which storage runs. */

/** Names are relative, with `/` between their parts, and made by the shop: never what a caller has sent. */
export interface FileStorage {
  /** Takes over the file at `path`: when it resolves, the file is stored for good and gone from `path`. */
  put(name: string, path: string): Promise<void>;
  /** Resolves as well when there is no such file. */
  remove(name: string): Promise<void>;
  /** The address that a browser reads the file from. */
  url(name: string): string;
}
