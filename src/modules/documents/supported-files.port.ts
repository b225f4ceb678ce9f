/** The kinds of files that can be read, by category, as extensions with their dot. */
export abstract class SupportedFiles {
  abstract list(): { categories: Record<string, string[]>; all_extensions: string[] };
}
