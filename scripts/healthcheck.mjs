// The container's health check: exit status 0 when the training service answers.
const port = process.env.CLARA_TRAINING_PORT || '45680';
const response = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(4000) }).catch(
  () => undefined,
);
process.exitCode = response?.ok ? 0 : 1;
