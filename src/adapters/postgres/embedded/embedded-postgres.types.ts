export interface EmbeddedPostgresLog {
  info(message: string): void;
  warn(message: string): void;
}

export interface EmbeddedPostgresOptions {
  /** Folder that belongs to this database alone; made when missing. */
  dataDir: string;
  /** Folder of `initdb` and `postgres`, from installPostgres(). */
  binDir: string;
  log: EmbeddedPostgresLog;
  /** never: as root, run as an unprivileged user even where user namespaces are allowed. Default auto. */
  userNamespace?: 'auto' | 'never';
  /** Default: socket, on Windows tcp. */
  transport?: 'socket' | 'tcp';
  /** Longest wait for a server that recovers from a crash. Default 60,000. */
  startTimeoutMs?: number;
}

export interface Login {
  user: string;
  password: string;
}

/** What pg and TypeORM take as it is: a host that begins with a slash is the folder of a socket. */
export interface EmbeddedPostgresConnection extends Login {
  host: string;
  port: number;
  database: string;
  /** The role that the application connects as; undefined where an application without one still uses this server. */
  app?: Login | undefined;
}
