/** What all events of the LOOP stream have in common. */
export const loop = { v: 1, stream: 'LOOP' } as const;
