import {
  type DecodedRequest,
  type RequestLimits,
  asRefusal,
  checkCount,
  emptyRequest,
  endSeries,
  readSample,
} from "./decoded-request.js";
import type { KnownSeries, SeriesMemory } from "./known-series.js";
import { metadataTypes } from "./metadata-types.js";
import { RefusedRequest, type SeriesRefusal } from "./refusals.js";
import type { Identify } from "./series-identity.js";
import { type Reader, assertEnd, endOfField, readText, readerOf, skipField, tag } from "./wire-reader.js";

/** Fields of prometheus.WriteRequest. */
const REQUEST = { timeseries: tag.bytes(1), metadata: tag.bytes(3) } as const;
/** Fields of io.prometheus.write.v2.Request, whose numbers were chosen so that the two cannot be taken for each other. */
const OTHERS: readonly number[] = [tag.bytes(4), tag.bytes(5)];
const SERIES = {
  label: tag.bytes(1),
  sample: tag.bytes(2),
  exemplar: tag.bytes(3),
  histogram: tag.bytes(4),
} as const;
const LABEL = { name: tag.bytes(1), value: tag.bytes(2) } as const;
const METADATA = { type: tag.varint(1), family: tag.bytes(2) } as const;
/** Of a name of a metric family that is remembered for its type. */
const FAMILY_BYTES_MAX = 1_024;

/**
 * Decodes a prometheus.WriteRequest, the message of Remote-Write 1.0. Throws RefusedRequest.
 * Source: prometheus/prometheus, prompb/remote.proto and types.proto.
 */
export function decodeWriteRequest(
  body: Buffer,
  from: { readonly known: SeriesMemory; readonly identify: Identify },
  limits: RequestLimits,
): DecodedRequest {
  const request = emptyRequest();
  const reader = readerOf(body);
  let series = 0;
  try {
    while (reader.pos < reader.len) {
      const fieldTag = reader.uint32();
      if (fieldTag === REQUEST.timeseries) {
        checkCount(++series, limits.seriesMax, "series");
        readSeries(body, reader, request, from);
        checkCount(request.samples.timestamps.length, limits.samplesMax, "samples");
      } else if (fieldTag === REQUEST.metadata) readMetadata(reader, request);
      else if (OTHERS.includes(fieldTag)) throw otherMessage();
      else skipField(reader, fieldTag, reader.len);
    }
  } catch (error) {
    throw asRefusal(error);
  }
  return request;
}

function otherMessage(): RefusedRequest {
  return new RefusedRequest(
    400,
    "other_message",
    "The body looks like an io.prometheus.write.v2.Request, but its Content-Type does not say so.",
  );
}

function readSeries(
  body: Buffer,
  reader: Reader,
  request: DecodedRequest,
  from: { readonly known: SeriesMemory; readonly identify: Identify },
): void {
  const end = endOfField(reader, reader.len);
  const first = request.samples.timestamps.length;
  /** Where the labels are, and the bytes of those before, where they do not all stand together. */
  let labelsFrom = reader.pos;
  let labelsTo = reader.pos;
  let earlier = "";
  let refusal: SeriesRefusal | null = null;
  while (reader.pos < end) {
    const start = reader.pos;
    const fieldTag = reader.uint32();
    if (fieldTag === SERIES.label) {
      reader.pos = endOfField(reader, end);
      if (start !== labelsTo) {
        earlier += body.toString("latin1", labelsFrom, labelsTo);
        labelsFrom = start;
      }
      labelsTo = reader.pos;
    } else if (fieldTag === SERIES.sample) refusal = readSample(reader, request.samples) ?? refusal;
    else {
      if (fieldTag === SERIES.exemplar) request.exemplars++;
      else if (fieldTag === SERIES.histogram) request.histograms++;
      skipField(reader, fieldTag, end);
    }
  }
  assertEnd(reader, end);
  const key = earlier + body.toString("latin1", labelsFrom, labelsTo);
  endSeries(request, first, refusal ?? ownerOf(key, from));
}

function ownerOf(
  key: string,
  { known, identify }: { readonly known: SeriesMemory; readonly identify: Identify },
): KnownSeries | SeriesRefusal {
  return known.get(key) ?? known.keep(key, identify(readLabels(Buffer.from(key, "latin1")), null));
}

/** Names and values in turn. */
function readLabels(labels: Buffer): (string | null)[] {
  const namesAndValues: (string | null)[] = [];
  const reader = readerOf(labels);
  while (reader.pos < reader.len) {
    reader.uint32();
    const end = endOfField(reader, reader.len);
    let name: string | null = "";
    let value: string | null = "";
    while (reader.pos < end) {
      const fieldTag = reader.uint32();
      if (fieldTag === LABEL.name) name = readText(reader, end);
      else if (fieldTag === LABEL.value) value = readText(reader, end);
      else skipField(reader, fieldTag, end);
    }
    assertEnd(reader, end);
    namesAndValues.push(name, value);
  }
  return namesAndValues;
}

function readMetadata(reader: Reader, request: DecodedRequest): void {
  const end = endOfField(reader, reader.len);
  let type = 0;
  let family: string | null = "";
  while (reader.pos < end) {
    const fieldTag = reader.uint32();
    if (fieldTag === METADATA.type) type = reader.uint32();
    else if (fieldTag === METADATA.family) family = readText(reader, end);
    else skipField(reader, fieldTag, end);
  }
  assertEnd(reader, end);
  const word = metadataTypes.get(type);
  if (family !== null && family !== "" && family.length <= FAMILY_BYTES_MAX && word !== undefined)
    request.families.set(family, word);
}
