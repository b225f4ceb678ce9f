/** The base model that the replicas here answer with. */
export interface BaseModel {
  /** As `/v1/models` lists it and a request names it. */
  slug: string;
  /** What else a request may call it: hub id, folder, name at an engine. */
  names: readonly string[];
}
