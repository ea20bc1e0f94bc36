/** What makes two spellings of an e-mail address one person. */
export const emailKeyOf = (email: string) => email.normalize('NFC').toLowerCase();
