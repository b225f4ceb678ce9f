import { createHash } from 'node:crypto';

/** Namespace of the ids of chunks. */
const NAMESPACE = Buffer.from('6f3b1a0e5c5d4e0f9a53d8b2f0c41e77', 'hex');

/**
 * Id of a chunk: the same document, place and content give the same id, whatever the version. A UUID of version 5
 * (RFC 9562, section 5.5) over document id, ordinal and SHA-256 of the content.
 */
export function chunkId(documentId: string, ordinal: number, content: string): string {
  const digest = createHash('sha256').update(content).digest('hex');
  const hash = createHash('sha1')
    .update(NAMESPACE)
    .update(`${documentId}\n${String(ordinal)}\n${digest}`)
    .digest();
  const bytes = hash.subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
