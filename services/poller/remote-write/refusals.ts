/** Why a series of a request, and its samples with it, is not written while the rest is. The words are labels of metrics. */
export const seriesRefusals = {
  name_missing: "a series has no label __name__",
  label_empty: "a label has an empty name or value",
  label_repeated: "a series has a label twice",
  label_reserved: "a label is named __proto__",
  labels_too_many: "a series has more labels than extract.remote_write.labels_max",
  label_too_long: "a label is longer than extract.remote_write.label_name_bytes_max or label_value_bytes_max",
  not_utf8: "a label is not UTF-8",
  label_unknown: "a series refers to labels that are not in the table of symbols, or to half a label",
  no_samples: "a series has neither samples nor histograms",
  samples_and_histograms: "a series has samples and histograms",
  time_out_of_range: "a timestamp is before 1970 or after what a date can be",
} as const;

export type SeriesRefusal = keyof typeof seriesRefusals;

/** Why a whole request is refused, and not to be sent again but for `busy`. The words are labels of metrics. */
export type RequestRefusal =
  | "unauthorized"
  | "no_such_path"
  | "not_post"
  | "content_type"
  | "content_encoding"
  | "body_too_long"
  | "body_cut_off"
  | "snappy"
  | "protobuf"
  | "other_message"
  | "symbols"
  | "series_too_many"
  | "samples_too_many"
  | "busy"
  | "stopping";

/** A request that is refused as a whole. `message` is for the sender, who logs it as it is. */
export class RefusedRequest extends Error {
  readonly status: number;
  readonly reason: RequestRefusal;

  constructor(status: number, reason: RequestRefusal, message: string) {
    super(message);
    this.name = "RefusedRequest";
    this.status = status;
    this.reason = reason;
  }
}
