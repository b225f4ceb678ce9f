type Environment = Readonly<Record<string, string | undefined>>;

/** What a training needs of our environment. The tokens of model hubs and trackers are meant for it; ours are not. */
const FOR_TRAININGS =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|XDG_\w+|HF_\w+|HUGGING\w+|TRANSFORMERS_\w+|TORCH\w*|PYTORCH\w*|CUDA_\w+|NVIDIA_\w+|NCCL_\w+|GLOO_\w+|OMP_\w+|MKL_\w+|WANDB_\w+|MLFLOW_\w+|TENSORBOARD\w*|SSL_CERT\w*|REQUESTS_CA_BUNDLE|(https?|no|all)_proxy)$/i;

/** What an installer needs besides: where packages come from. */
const FOR_INSTALLERS = /^(PYENV_\w+|PIP_\w+|UV_\w+|NETRC|CURL_CA_BUNDLE|CLARA_CACHE_DIR)$/;

const only = (environment: Environment, wanted: (name: string) => boolean): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && wanted(entry[0]),
    ),
  );

export const trainingEnvironment = (environment: Environment): Record<string, string> =>
  only(environment, (name) => FOR_TRAININGS.test(name));

export const installerEnvironment = (environment: Environment): Record<string, string> =>
  only(environment, (name) => FOR_TRAININGS.test(name) || FOR_INSTALLERS.test(name));
