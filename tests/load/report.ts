/** One line: what was measured, what it is to be, and what else there is to know. */
export function report(name: string, got: string, wanted: string, isMet = true, detail = ''): void {
  console.log(`${isMet ? '  ' : '! '}${name.padEnd(46)} ${got.padStart(9)}  ${wanted.padEnd(13)} ${detail}`.trimEnd());
}
