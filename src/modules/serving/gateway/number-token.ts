/** States of a JSON number, byte by byte; https://www.rfc-editor.org/rfc/rfc8259#section-6. */
type NumberState = 'sign' | 'zero' | 'whole' | 'point' | 'fraction' | 'e' | 'esign' | 'exponent';

const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= 0x39;
const isE = (byte: number): boolean => byte === 0x65 || byte === 0x45;

/** Whether a byte can be part of a number at all. */
export const inNumber = (byte: number): boolean =>
  isDigit(byte) || byte === MINUS || byte === PLUS || byte === POINT || isE(byte);

/** The state after a first byte; undefined where none begins so. */
export function beginNumber(byte: number): NumberState | undefined {
  if (byte === MINUS) return 'sign';
  if (byte === ZERO) return 'zero';
  return isDigit(byte) ? 'whole' : undefined;
}

/** The state after one byte more; undefined where the number is none. */
export function continueNumber(state: NumberState, byte: number): NumberState | undefined {
  switch (state) {
    case 'sign':
      return beginNumber(byte) === 'sign' ? undefined : beginNumber(byte);
    case 'zero':
      return afterWhole(byte);
    case 'whole':
      return isDigit(byte) ? 'whole' : afterWhole(byte);
    case 'point':
      return isDigit(byte) ? 'fraction' : undefined;
    case 'fraction':
      if (isDigit(byte)) return 'fraction';
      return isE(byte) ? 'e' : undefined;
    case 'e':
      if (isDigit(byte)) return 'exponent';
      return byte === PLUS || byte === MINUS ? 'esign' : undefined;
    case 'esign':
    case 'exponent':
      return isDigit(byte) ? 'exponent' : undefined;
  }
}

function afterWhole(byte: number): NumberState | undefined {
  if (byte === POINT) return 'point';
  return isE(byte) ? 'e' : undefined;
}

const ENDS: readonly NumberState[] = ['zero', 'whole', 'fraction', 'exponent'];

export const isWholeNumber = (state: NumberState): boolean => ENDS.includes(state);
export type { NumberState };
