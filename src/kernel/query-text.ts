const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A number that came as text, as queries carry it; anything else stays for the check to refuse. */
export const asNumber = ({ value }: { value: unknown }): unknown =>
  typeof value === 'string' && NUMBER.test(value.trim()) ? Number(value) : value;

/** `true`, `1`, `false` and `0` as text; anything else stays for the check to refuse. */
export const asBoolean = ({ value }: { value: unknown }): unknown => {
  if (value === 'true' || value === '1') return true;
  return value === 'false' || value === '0' ? false : value;
};
