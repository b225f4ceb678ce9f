/** As RFC 5987 and RFC 8187 write what is no ASCII; the signs that encodeURIComponent leaves are none of theirs. */
export const percentEncoded = (text: string): string =>
  encodeURIComponent(text).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** Content-Disposition of a file to save; old clients get its name in ASCII. */
export function attachment(name: string): string {
  const ascii = name.replace(/[^\w. -]/g, '_');
  return `attachment; filename="${ascii}"; filename*=UTF-8''${percentEncoded(name)}`;
}
