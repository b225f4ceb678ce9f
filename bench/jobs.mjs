export const PATH = '/api/training/jobs';

const METRICS = {
  final_loss: 1.25,
  perplexity: 3.49,
  accuracy: 0.71,
  epochs_completed: 3,
  eval_loss_before: 2.5,
  eval_loss_after: 1.3,
};

/**
 * Finished jobs, with the same ids in every database.
 * @param {any} postgres
 * @param {number} count
 * @returns {Promise<string[]>} their paths
 */
export async function seedJobs(postgres, count) {
  const rows = await postgres.query(
    `INSERT INTO training_jobs (job_id, trainer_type, status, config_path, output_dir, priority, created_by, base_model, total_epochs,
        current_epoch, progress_percent, adapter_path, metrics, tags, started_at, completed_at, attempt, current_step, total_steps)
      SELECT md5('bench ' || n)::uuid, 'lora', 'completed', 'configs/lora_config.yaml', 'models', 3, 'debug-user', 'default', 3,
        3, 100, '/data/models/adapter', $1::jsonb, '{bench,http}', now(), now(), 1, 120, 120 FROM generate_series(1, $2::int) AS n
      RETURNING job_id`,
    [JSON.stringify(METRICS), count],
  );
  return rows.map(({ job_id }) => `${PATH}/${job_id}`);
}
