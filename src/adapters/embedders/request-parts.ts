interface Size {
  texts: number;
  characters: number;
}

/** Texts in order, in parts that one request takes; a text that is larger by itself stands alone. */
export function partsOf(texts: readonly string[], most: Size): string[][] {
  const parts: string[][] = [];
  let characters = 0;
  for (const text of texts) {
    const part = parts.at(-1);
    if (part && part.length < most.texts && characters + text.length <= most.characters) {
      part.push(text);
      characters += text.length;
    } else {
      parts.push([text]);
      characters = text.length;
    }
  }
  return parts;
}
