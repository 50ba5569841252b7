/** Between the collector and its decoder process. */
export interface DecodeRequest {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly pixelsMax: number;
}

export type DecodeAnswer =
  | { readonly id: number; readonly ok: true; readonly width: number; readonly height: number }
  | { readonly id: number; readonly ok: false; readonly reason: string };
