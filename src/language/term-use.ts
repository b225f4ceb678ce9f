/** One index term of a text. The same analysis makes those of documents and of questions. */
export interface TermUse {
  /** Folded and stemmed; what is stored and compared. */
  term: string;
  /** 1 for the word itself, less for a part of a compound. */
  weight: number;
  kind: 'word' | 'part';
  /** As it stands in the text: the word, or the compound that the part was cut from. */
  word: string;
}
