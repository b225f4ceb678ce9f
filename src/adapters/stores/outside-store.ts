/** Where a store outside is. */
export interface StoreAddress {
  /** A host name or an IP address. */
  host: string;
  port: number;
  ssl: boolean;
  database: string;
}

/** Who the application is there; both empty: the server asks for no login. */
export interface StoreLogin {
  user: string;
  password: string;
}

/** The host as an address writes it. */
export const hostInUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);
