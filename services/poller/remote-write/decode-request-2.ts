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

/** Fields of io.prometheus.write.v2.Request. */
const REQUEST = { symbol: tag.bytes(4), timeseries: tag.bytes(5) } as const;
/** Fields of prometheus.WriteRequest, which 2.0 reserves so that the two cannot be taken for each other. */
const OTHERS: readonly number[] = [tag.bytes(1), tag.bytes(3)];
const SERIES = {
  /** Packed, as all senders write them; protobuf allows the other form as well. */
  labelsRefs: tag.bytes(1),
  labelsRef: tag.varint(1),
  sample: tag.bytes(2),
  histogram: tag.bytes(3),
  exemplar: tag.bytes(4),
  metadata: tag.bytes(5),
} as const;
const METADATA_TYPE = tag.varint(1);
/** Each takes two bytes of a request and more of memory; a label has two at the most. */
const SYMBOLS_MAX = 1_000_000;
/** Stands between symbols where several are one text; no text that was UTF-8 holds half a surrogate pair. */
const BETWEEN = "\ud800";

interface Decoding {
  readonly reader: Reader;
  readonly request: DecodedRequest;
  /** Null where one is not UTF-8. */
  readonly symbols: readonly (string | null)[];
  readonly known: SeriesMemory;
  readonly identify: Identify;
  /** The most references that a series may have without being refused for them. */
  readonly refsMax: number;
}

/**
 * Decodes an io.prometheus.write.v2.Request, the message of Remote-Write 2.0. Throws RefusedRequest.
 * Source: prometheus/prometheus, prompb/io/prometheus/write/v2/types.proto.
 */
export function decodeRequest2(
  body: Buffer,
  from: { readonly known: SeriesMemory; readonly identify: Identify },
  limits: RequestLimits & { readonly labelsMax: number },
): DecodedRequest {
  const request = emptyRequest();
  const reader = readerOf(body);
  const symbols: (string | null)[] = [];
  /** Where series begin: symbols may follow them. */
  const places: number[] = [];
  try {
    while (reader.pos < reader.len) {
      const fieldTag = reader.uint32();
      if (fieldTag === REQUEST.symbol) {
        symbols.push(readText(reader, reader.len));
        if (symbols.length > SYMBOLS_MAX) throw badSymbols(`has more than ${SYMBOLS_MAX} symbols`);
      } else if (fieldTag === REQUEST.timeseries) {
        places.push(reader.pos);
        checkCount(places.length, limits.seriesMax, "series");
        reader.pos = endOfField(reader, reader.len);
      } else if (OTHERS.includes(fieldTag)) throw otherMessage();
      else skipField(reader, fieldTag, reader.len);
    }
    if (places.length > 0 && symbols[0] !== "") throw badSymbols("does not begin with the empty symbol");
    // A label more than there may be, so that it is seen.
    const decoding = { reader, request, symbols, ...from, refsMax: 2 * (limits.labelsMax + 1) };
    for (const place of places) {
      reader.pos = place;
      readSeries(decoding);
      checkCount(request.samples.timestamps.length, limits.samplesMax, "samples");
    }
  } catch (error) {
    throw asRefusal(error);
  }
  return request;
}

function badSymbols(what: string): RefusedRequest {
  return new RefusedRequest(400, "symbols", `The request ${what}.`);
}

function otherMessage(): RefusedRequest {
  return new RefusedRequest(
    400,
    "other_message",
    "The body looks like a prometheus.WriteRequest, but its Content-Type says io.prometheus.write.v2.Request.",
  );
}

function readSeries(decoding: Decoding): void {
  const { reader, request } = decoding;
  const end = endOfField(reader, reader.len);
  const first = request.samples.timestamps.length;
  const refs: number[] = [];
  let histograms = 0;
  let exemplars = 0;
  let family: string | null = null;
  let refusal: SeriesRefusal | null = null;
  while (reader.pos < end) {
    const fieldTag = reader.uint32();
    switch (fieldTag) {
      case SERIES.labelsRefs: {
        const refsEnd = endOfField(reader, end);
        while (reader.pos < refsEnd) addRef(refs, reader.uint32(), decoding);
        assertEnd(reader, refsEnd);
        break;
      }
      case SERIES.labelsRef:
        addRef(refs, reader.uint32(), decoding);
        break;
      case SERIES.sample:
        refusal = readSample(reader, request.samples) ?? refusal;
        break;
      case SERIES.metadata:
        family = readFamilyType(reader, end);
        break;
      default:
        if (fieldTag === SERIES.histogram) histograms++;
        else if (fieldTag === SERIES.exemplar) exemplars++;
        skipField(reader, fieldTag, end);
    }
  }
  assertEnd(reader, end);
  request.histograms += histograms;
  request.exemplars += exemplars;
  const samples = request.samples.timestamps.length - first;
  if (samples === 0 && histograms === 0) refusal = "no_samples";
  else if (samples > 0 && histograms > 0) refusal = "samples_and_histograms";
  endSeries(request, first, refusal ?? ownerOf(refs, family, decoding));
}

function addRef(refs: number[], ref: number, { refsMax }: Decoding): void {
  if (refs.length < refsMax) refs.push(ref);
}

function ownerOf(
  refs: readonly number[],
  family: string | null,
  { symbols, known, identify }: Decoding,
): KnownSeries | SeriesRefusal {
  if (refs.length % 2 !== 0) return "label_unknown";
  let key = family ?? "";
  for (const ref of refs) {
    if (ref >= symbols.length) return "label_unknown";
    const symbol = symbols[ref];
    if (symbol === null) return "not_utf8";
    key += BETWEEN + symbol;
  }
  const found = () =>
    identify(
      refs.map((ref) => symbols[ref]),
      family,
    );
  return known.get(key) ?? known.keep(key, found());
}

/** The type word of the series' metric family; null where the sender does not know it. */
function readFamilyType(reader: Reader, seriesEnd: number): string | null {
  const end = endOfField(reader, seriesEnd);
  let type = 0;
  while (reader.pos < end) {
    const fieldTag = reader.uint32();
    if (fieldTag === METADATA_TYPE) type = reader.uint32();
    else skipField(reader, fieldTag, end);
  }
  assertEnd(reader, end);
  return metadataTypes.get(type) ?? null;
}
