import { runAsWorker } from "synckit";
import { type ErrorCode, asMillraceError } from "../shared/errors.js";
import { type OnnxModel, openOnnxModel } from "./onnx-model.js";

/** The thread that onnx-estimate.ts starts: it opens models, and has them estimate tables, by their numbers. */
export type OnnxRequest =
  | { readonly open: string; readonly columns: number }
  | { readonly model: number; readonly table: Float64Array };

/** An error as data: of one that is thrown, its class is lost on the way. */
export type OnnxAnswer =
  | { readonly model: number }
  | { readonly estimates: Float64Array }
  | { readonly code: ErrorCode; readonly message: string };

const models: OnnxModel[] = [];

async function answer(request: OnnxRequest): Promise<OnnxAnswer> {
  try {
    if ("open" in request)
      return { model: models.push(await openOnnxModel(request.open, request.columns)) - 1 };
    return { estimates: await models[request.model].estimate(request.table) };
  } catch (error) {
    const { code, message } = asMillraceError(error);
    return { code, message };
  }
}

runAsWorker(answer);
