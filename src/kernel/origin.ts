const loopback = /^https?:\/\/(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/**
 * Whether a page of this origin may read answers and open sockets (for which browsers do not ask CORS before).
 * @param origin the Origin header; undefined: not a browser
 * @param allowed the configured origins; undefined: every loopback origin
 */
export function originAllowed(origin: string | undefined, allowed: readonly string[] | undefined): boolean {
  if (origin === undefined) return true;
  return allowed ? allowed.includes(origin) : loopback.test(origin);
}
