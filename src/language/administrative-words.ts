export const ADMINISTRATIVE_WORDS = ``;
export const OPAQUE_WORDS = ``;
export const MORE_MODIFIERS = ``;
export const ADJECTIVE_HEADS = ``;
