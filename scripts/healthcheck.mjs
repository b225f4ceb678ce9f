// The container's health check: exit status 0 when the application is ready. Where the service ports speak TLS, the
// probe port answers; everywhere else nobody listens there, and the training service does.
const { CLARA_PROBE_HOST, CLARA_PROBE_PORT, CLARA_TRAINING_PORT } = process.env;
const everywhere = ['', '0.0.0.0', '::'];
const probe = everywhere.includes(CLARA_PROBE_HOST ?? '') ? '127.0.0.1' : String(CLARA_PROBE_HOST);
const host = probe.includes(':') ? `[${probe}]` : probe;

/** @param {string} url @returns {Promise<Response | undefined>} undefined where nobody answers HTTP */
const ask = (url) => fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);

const answer =
  (await ask(`http://${host}:${CLARA_PROBE_PORT || '45690'}/readyz`)) ??
  (await ask(`http://127.0.0.1:${CLARA_TRAINING_PORT || '45680'}/health`));
process.exitCode = answer?.ok ? 0 : 1;
