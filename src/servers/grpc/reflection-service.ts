/**
 * Server reflection, so that tools such as grpcurl need no .proto files. v1 and v1alpha are the same protocol under two
 * names. None of our files imports another, so each question is answered with a single file.
 */
import { status as Status } from '@grpc/grpc-js';
import type { Server, ServerDuplexStream } from '@grpc/grpc-js';
import { PROTO_FILES } from '../../gen/descriptors.ts';
import type { ProtoFile } from '../../gen/descriptors.ts';
import { grpc } from '../../gen/protocol.js';
import { Malformed, bidirectional, failStream } from './method.ts';

const { ServerReflectionRequest, ServerReflectionResponse } = grpc.reflection.v1;
type Request = grpc.reflection.v1.ServerReflectionRequest;
type Answer = grpc.reflection.v1.ServerReflectionResponseFields;

export function addReflectionService(server: Server): void {
  for (const version of ['v1', 'v1alpha']) {
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
    bidirectional(server, path, ServerReflectionRequest, ServerReflectionResponse, serve);
  }
}

function serve(call: ServerDuplexStream<Request | Malformed, Answer>): void {
  call.on('data', (request: Request | Malformed) => {
    if (request instanceof Malformed) return failStream(call, request.failed);
    const taken = call.write({ validHost: request.host, originalRequest: request, ...answer(request) });
    if (taken) return;
    call.pause();
    call.once('drain', () => call.resume());
  });
  call.on('end', () => call.end());
  call.on('error', () => undefined);
}

function answer(request: Request): Answer {
  switch (request.messageRequest) {
    case 'listServices': {
      const names = PROTO_FILES.flatMap((file) => file.services);
      return { listServicesResponse: { service: names.map((name) => ({ name })) } };
    }
    case 'fileByFilename':
      return fileAnswer(PROTO_FILES.find((file) => file.name === request.fileByFilename));
    case 'fileContainingSymbol':
      return fileAnswer(
        PROTO_FILES.find((file) => file.symbols.includes(request.fileContainingSymbol ?? '')),
      );
    case 'allExtensionNumbersOfType':
    case 'fileContainingExtension':
      return errorAnswer(Status.NOT_FOUND, 'there are no extensions');
    default:
      return errorAnswer(Status.INVALID_ARGUMENT, 'the request asks for nothing that is known');
  }
}

function fileAnswer(file: ProtoFile | undefined): Answer {
  if (file === undefined) return errorAnswer(Status.NOT_FOUND, 'no such file or symbol');
  return { fileDescriptorResponse: { fileDescriptorProto: [Buffer.from(file.base64, 'base64')] } };
}

function errorAnswer(errorCode: number, errorMessage: string): Answer {
  return { errorResponse: { errorCode, errorMessage } };
}
