/** Made by scripts/generate.js from proto/. Do not edit: change the .proto and run `npm run generate`. */

export interface ProtoFile {
  readonly name: string;
  readonly services: readonly string[];
  /** Full names of its messages, enums, services and methods. */
  readonly symbols: readonly string[];
  /** A serialised google.protobuf.FileDescriptorProto. */
  readonly base64: string;
}

export const PROTO_FILES: readonly ProtoFile[] = [
  {
    name: 'cache/cache.proto',
    services: ['cache.CacheService'],
    symbols: [
      'cache.SetRequest',
      'cache.SetResponse',
      'cache.GetRequest',
      'cache.GetResponse',
      'cache.CacheService',
      'cache.CacheService.Set',
      'cache.CacheService.Get',
    ],
    base64:
      'ChFjYWNoZS9jYWNoZS5wcm90bxIFY2FjaGUiKAoKU2V0UmVxdWVzdBILCgNrZXkYASABKAkSDQoFdmFsdWUYAiABKAwiHgoLU2V0UmVzcG9uc2USDwoHc3VjY2VzcxgBIAEoCCIZCgpHZXRSZXF1ZXN0EgsKA2tleRgBIAEoCSIrCgtHZXRSZXNwb25zZRINCgV2YWx1ZRgBIAEoDBINCgVmb3VuZBgCIAEoCDJqCgxDYWNoZVNlcnZpY2USLAoDU2V0EhEuY2FjaGUuU2V0UmVxdWVzdBoSLmNhY2hlLlNldFJlc3BvbnNlEiwKA0dldBIRLmNhY2hlLkdldFJlcXVlc3QaEi5jYWNoZS5HZXRSZXNwb25zZWIGcHJvdG8z',
  },
  {
    name: 'causeway/v1/key_value.proto',
    services: ['causeway.v1.KeyValue', 'causeway.v1.Admin'],
    symbols: [
      'causeway.v1.Record',
      'causeway.v1.Failure',
      'causeway.v1.GetRequest',
      'causeway.v1.GetResponse',
      'causeway.v1.PutRequest',
      'causeway.v1.PutResponse',
      'causeway.v1.DeleteRequest',
      'causeway.v1.DeleteResponse',
      'causeway.v1.CompareAndPutRequest',
      'causeway.v1.CompareAndDeleteRequest',
      'causeway.v1.CompareResponse',
      'causeway.v1.IncrementRequest',
      'causeway.v1.IncrementResponse',
      'causeway.v1.GetManyRequest',
      'causeway.v1.GetManyResult',
      'causeway.v1.GetManyResponse',
      'causeway.v1.PutManyRequest',
      'causeway.v1.PutManyResult',
      'causeway.v1.PutManyResponse',
      'causeway.v1.Operation',
      'causeway.v1.OperationResult',
      'causeway.v1.PipelineRequest',
      'causeway.v1.PipelineResponse',
      'causeway.v1.ExportRequest',
      'causeway.v1.ExportEntry',
      'causeway.v1.ExportPage',
      'causeway.v1.InspectRequest',
      'causeway.v1.InspectResponse',
      'causeway.v1.StatusRequest',
      'causeway.v1.StatusResponse',
      'causeway.v1.DescribeRequest',
      'causeway.v1.DescribeResponse',
      'causeway.v1.AgreedSetting',
      'causeway.v1.ClusterMember',
      'causeway.v1.LeaveRequest',
      'causeway.v1.RebalanceRequest',
      'causeway.v1.ChangeResponse',
      'causeway.v1.PlanRequest',
      'causeway.v1.PlannedJoin',
      'causeway.v1.PlanResponse',
      'causeway.v1.PlannedShare',
      'causeway.v1.Origin',
      'causeway.v1.Certainty',
      'causeway.v1.KeyValue',
      'causeway.v1.KeyValue.Get',
      'causeway.v1.KeyValue.Put',
      'causeway.v1.KeyValue.Delete',
      'causeway.v1.KeyValue.CompareAndPut',
      'causeway.v1.KeyValue.CompareAndDelete',
      'causeway.v1.KeyValue.Increment',
      'causeway.v1.KeyValue.GetMany',
      'causeway.v1.KeyValue.PutMany',
      'causeway.v1.KeyValue.Pipeline',
      'causeway.v1.KeyValue.Export',
      'causeway.v1.Admin',
      'causeway.v1.Admin.Inspect',
      'causeway.v1.Admin.Status',
      'causeway.v1.Admin.Describe',
      'causeway.v1.Admin.Leave',
      'causeway.v1.Admin.Rebalance',
      'causeway.v1.Admin.Plan',
    ],
    base64:
      'ChtjYXVzZXdheS92MS9rZXlfdmFsdWUucHJvdG8SC2NhdXNld2F5LnYxIsMBCgZSZWNvcmQSDQoFdmFsdWUYASABKAwSDwoHdmVyc2lvbhgCIAEoBBIWCgZvcmlnaW4YAyABKA4yBk9yaWdpbhIVCgZhZ2VfbXMYBCABKARSBWFnZU1zEiIKDWNyZWF0ZWRfYXRfbXMYBSABKARSC2NyZWF0ZWRBdE1zEiIKDXVwZGF0ZWRfYXRfbXMYBiABKARSC3VwZGF0ZWRBdE1zEiIKDWV4cGlyZXNfYXRfbXMYByABKARSC2V4cGlyZXNBdE1zIkYKB0ZhaWx1cmUSDAoEY29kZRgBIAEoCRIcCgljZXJ0YWludHkYAiABKA4yCUNlcnRhaW50eRIPCgdtZXNzYWdlGAMgASgJIjoKCkdldFJlcXVlc3QSCwoDa2V5GAEgASgJEh8KC2FsbG93X3N0YWxlGAIgASgIUgphbGxvd1N0YWxlIk8KC0dldFJlc3BvbnNlEhYKBnJlY29yZBgBIAEoCzIGUmVjb3JkEg0KBXN0YWxlGAIgASgIEhkKCHN0YWxlX21zGAMgASgEUgdzdGFsZU1zImIKClB1dFJlcXVlc3QSCwoDa2V5GAEgASgJEg0KBXZhbHVlGAIgASgMEhUKBnR0bF9tcxgDIAEoBFIFdHRsTXMSIQoMb3BlcmF0aW9uX2lkGAQgASgMUgtvcGVyYXRpb25JZCIeCgtQdXRSZXNwb25zZRIPCgd2ZXJzaW9uGAEgASgEIj8KDURlbGV0ZVJlcXVlc3QSCwoDa2V5GAEgASgJEiEKDG9wZXJhdGlvbl9pZBgCIAEoDFILb3BlcmF0aW9uSWQiIQoORGVsZXRlUmVzcG9uc2USDwoHdmVyc2lvbhgBIAEoBCLrAQoUQ29tcGFyZUFuZFB1dFJlcXVlc3QSCwoDa2V5GAEgASgJEicKDmV4cGVjdF92ZXJzaW9uGAIgASgESABSDWV4cGVjdFZlcnNpb24SIwoMZXhwZWN0X3ZhbHVlGAMgASgMSABSC2V4cGVjdFZhbHVlEiUKDWV4cGVjdF9hYnNlbnQYBCABKAhIAFIMZXhwZWN0QWJzZW50Eg0KBXZhbHVlGAUgASgMEhUKBnR0bF9tcxgGIAEoBFIFdHRsTXMSIQoMb3BlcmF0aW9uX2lkGAcgASgMUgtvcGVyYXRpb25JZEIICgZleHBlY3QioQEKF0NvbXBhcmVBbmREZWxldGVSZXF1ZXN0EgsKA2tleRgBIAEoCRInCg5leHBlY3RfdmVyc2lvbhgCIAEoBEgAUg1leHBlY3RWZXJzaW9uEiMKDGV4cGVjdF92YWx1ZRgDIAEoDEgAUgtleHBlY3RWYWx1ZRIhCgxvcGVyYXRpb25faWQYBCABKAxSC29wZXJhdGlvbklkQggKBmV4cGVjdCJMCg9Db21wYXJlUmVzcG9uc2USDwoHYXBwbGllZBgBIAEoCBIPCgd2ZXJzaW9uGAIgASgEEhcKB2N1cnJlbnQYAyABKAsyBlJlY29yZCJRChBJbmNyZW1lbnRSZXF1ZXN0EgsKA2tleRgBIAEoCRINCgVkZWx0YRgCIAEoAxIhCgxvcGVyYXRpb25faWQYAyABKAxSC29wZXJhdGlvbklkIjMKEUluY3JlbWVudFJlc3BvbnNlEg0KBXRvdGFsGAEgASgDEg8KB3ZlcnNpb24YAiABKAQiPwoOR2V0TWFueVJlcXVlc3QSDAoEa2V5cxgBIAMoCRIfCgthbGxvd19zdGFsZRgCIAEoCFIKYWxsb3dTdGFsZSJRCg1HZXRNYW55UmVzdWx0EhoKA2dldBgBIAEoCzILR2V0UmVzcG9uc2VIABIaCgdmYWlsdXJlGAIgASgLMgdGYWlsdXJlSABCCAoGcmVzdWx0IjEKD0dldE1hbnlSZXNwb25zZRIeCgdyZXN1bHRzGAEgAygLMg1HZXRNYW55UmVzdWx0IioKDlB1dE1hbnlSZXF1ZXN0EhgKBHB1dHMYASADKAsyClB1dFJlcXVlc3QiUQoNUHV0TWFueVJlc3VsdBIaCgNwdXQYASABKAsyC1B1dFJlc3BvbnNlSAASGgoHZmFpbHVyZRgCIAEoCzIHRmFpbHVyZUgAQggKBnJlc3VsdCIxCg9QdXRNYW55UmVzcG9uc2USHgoHcmVzdWx0cxgBIAMoCzINUHV0TWFueVJlc3VsdCKtAgoJT3BlcmF0aW9uEg4KBm51bWJlchgBIAEoDRIZCgNnZXQYAiABKAsyCkdldFJlcXVlc3RIABIZCgNwdXQYAyABKAsyClB1dFJlcXVlc3RIABIfCgZkZWxldGUYBCABKAsyDURlbGV0ZVJlcXVlc3RIABI+Cg9jb21wYXJlX2FuZF9wdXQYBSABKAsyFENvbXBhcmVBbmRQdXRSZXF1ZXN0SABSDWNvbXBhcmVBbmRQdXQSRwoSY29tcGFyZV9hbmRfZGVsZXRlGAYgASgLMhdDb21wYXJlQW5kRGVsZXRlUmVxdWVzdEgAUhBjb21wYXJlQW5kRGVsZXRlEiUKCWluY3JlbWVudBgHIAEoCzIQSW5jcmVtZW50UmVxdWVzdEgAQgkKB3JlcXVlc3Qi7QEKD09wZXJhdGlvblJlc3VsdBIOCgZudW1iZXIYASABKA0SGgoDZ2V0GAIgASgLMgtHZXRSZXNwb25zZUgAEhoKA3B1dBgDIAEoCzILUHV0UmVzcG9uc2VIABIgCgZkZWxldGUYBCABKAsyDkRlbGV0ZVJlc3BvbnNlSAASIgoHY29tcGFyZRgFIAEoCzIPQ29tcGFyZVJlc3BvbnNlSAASJgoJaW5jcmVtZW50GAYgASgLMhFJbmNyZW1lbnRSZXNwb25zZUgAEhoKB2ZhaWx1cmUYByABKAsyB0ZhaWx1cmVIAEIICgZyZXN1bHQiTwoPUGlwZWxpbmVSZXF1ZXN0Eh0KCm9wZXJhdGlvbnMYASADKAsyCU9wZXJhdGlvbhIdCgp0aW1lb3V0X21zGAIgASgNUgl0aW1lb3V0TXMiNAoQUGlwZWxpbmVSZXNwb25zZRIgCgdyZXN1bHRzGAEgAygLMg9PcGVyYXRpb25SZXN1bHQiHgoNRXhwb3J0UmVxdWVzdBINCgVhZnRlchgBIAEoCSIyCgtFeHBvcnRFbnRyeRILCgNrZXkYASABKAkSFgoGcmVjb3JkGAIgASgLMgZSZWNvcmQiTAoKRXhwb3J0UGFnZRIcCgdlbnRyaWVzGAEgAygLMgtFeHBvcnRFbnRyeRIMCgRuZXh0GAIgASgJEhIKCmluY29tcGxldGUYAyABKAgiHQoOSW5zcGVjdFJlcXVlc3QSCwoDa2V5GAEgASgJImgKD0luc3BlY3RSZXNwb25zZRINCgVvd25lchgBIAEoCBIMCgRzbG90GAIgASgNEg0KBXZhbGlkGAMgASgIEhEKCXRvbWJzdG9uZRgEIAEoCBIWCgZyZWNvcmQYBSABKAsyBlJlY29yZCIPCg1TdGF0dXNSZXF1ZXN0Ih4KDlN0YXR1c1Jlc3BvbnNlEgwKBGpzb24YASABKAkiEQoPRGVzY3JpYmVSZXF1ZXN0InYKEERlc2NyaWJlUmVzcG9uc2USIQoMY2x1c3Rlcl9uYW1lGAEgASgJUgtjbHVzdGVyTmFtZRIfCghzZXR0aW5ncxgCIAMoCzINQWdyZWVkU2V0dGluZxIeCgdtZW1iZXJzGAMgAygLMg1DbHVzdGVyTWVtYmVyIiwKDUFncmVlZFNldHRpbmcSDAoEbmFtZRgBIAEoCRINCgV2YWx1ZRgCIAEoCSJZCg1DbHVzdGVyTWVtYmVyEgwKBG5hbWUYASABKAkSDwoHYWRkcmVzcxgCIAEoCRIMCgR6b25lGAMgASgJEgwKBGhvc3QYBCABKAkSDQoFYWxpdmUYBSABKAgiHAoMTGVhdmVSZXF1ZXN0EgwKBG5hbWUYASABKAkiEgoQUmViYWxhbmNlUmVxdWVzdCIfCg5DaGFuZ2VSZXNwb25zZRINCgVlcG9jaBgBIAEoBCI5CgtQbGFuUmVxdWVzdBIaCgVqb2lucxgBIAMoCzILUGxhbm5lZEpvaW4SDgoGbGVhdmVzGAIgAygJIkcKC1BsYW5uZWRKb2luEgwKBG5hbWUYASABKAkSDAoEem9uZRgCIAEoCRIMCgRob3N0GAMgASgJEg4KBndlaWdodBgEIAEoASKIAQoMUGxhblJlc3BvbnNlEhwKBnNoYXJlcxgBIAMoCzIMUGxhbm5lZFNoYXJlEiEKDHNsb3RzX2NvcGllZBgCIAEoDVILc2xvdHNDb3BpZWQSJQoOcmVjb3Jkc19jb3BpZWQYAyABKARSDXJlY29yZHNDb3BpZWQSEAoIb2JzdGFjbGUYBCABKAkigwEKDFBsYW5uZWRTaGFyZRIMCgRuYW1lGAEgASgJEiEKDHNsb3RzX2JlZm9yZRgCIAEoDVILc2xvdHNCZWZvcmUSHwoLc2xvdHNfYWZ0ZXIYAyABKA1SCnNsb3RzQWZ0ZXISIQoMc2xvdHNfZ2FpbmVkGAQgASgNUgtzbG90c0dhaW5lZCpCCgZPcmlnaW4SEQoNT1JJR0lOX0NMSUVOVBAAEhEKDU9SSUdJTl9MRUdBQ1kQARISCg5PUklHSU5fT1VUU0lERRACKj0KCUNlcnRhaW50eRIWChJDRVJUQUlOVFlfREVGSU5JVEUQABIYChRDRVJUQUlOVFlfSU5ERUZJTklURRABMtEFCghLZXlWYWx1ZRI4CgNHZXQSFy5jYXVzZXdheS52MS5HZXRSZXF1ZXN0GhguY2F1c2V3YXkudjEuR2V0UmVzcG9uc2USOAoDUHV0EhcuY2F1c2V3YXkudjEuUHV0UmVxdWVzdBoYLmNhdXNld2F5LnYxLlB1dFJlc3BvbnNlEkEKBkRlbGV0ZRIaLmNhdXNld2F5LnYxLkRlbGV0ZVJlcXVlc3QaGy5jYXVzZXdheS52MS5EZWxldGVSZXNwb25zZRJQCg1Db21wYXJlQW5kUHV0EiEuY2F1c2V3YXkudjEuQ29tcGFyZUFuZFB1dFJlcXVlc3QaHC5jYXVzZXdheS52MS5Db21wYXJlUmVzcG9uc2USVgoQQ29tcGFyZUFuZERlbGV0ZRIkLmNhdXNld2F5LnYxLkNvbXBhcmVBbmREZWxldGVSZXF1ZXN0GhwuY2F1c2V3YXkudjEuQ29tcGFyZVJlc3BvbnNlEkoKCUluY3JlbWVudBIdLmNhdXNld2F5LnYxLkluY3JlbWVudFJlcXVlc3QaHi5jYXVzZXdheS52MS5JbmNyZW1lbnRSZXNwb25zZRJECgdHZXRNYW55EhsuY2F1c2V3YXkudjEuR2V0TWFueVJlcXVlc3QaHC5jYXVzZXdheS52MS5HZXRNYW55UmVzcG9uc2USRAoHUHV0TWFueRIbLmNhdXNld2F5LnYxLlB1dE1hbnlSZXF1ZXN0GhwuY2F1c2V3YXkudjEuUHV0TWFueVJlc3BvbnNlEksKCFBpcGVsaW5lEhwuY2F1c2V3YXkudjEuUGlwZWxpbmVSZXF1ZXN0Gh0uY2F1c2V3YXkudjEuUGlwZWxpbmVSZXNwb25zZSgBMAESPwoGRXhwb3J0EhouY2F1c2V3YXkudjEuRXhwb3J0UmVxdWVzdBoXLmNhdXNld2F5LnYxLkV4cG9ydFBhZ2UwATKgAwoFQWRtaW4SRAoHSW5zcGVjdBIbLmNhdXNld2F5LnYxLkluc3BlY3RSZXF1ZXN0GhwuY2F1c2V3YXkudjEuSW5zcGVjdFJlc3BvbnNlEkEKBlN0YXR1cxIaLmNhdXNld2F5LnYxLlN0YXR1c1JlcXVlc3QaGy5jYXVzZXdheS52MS5TdGF0dXNSZXNwb25zZRJHCghEZXNjcmliZRIcLmNhdXNld2F5LnYxLkRlc2NyaWJlUmVxdWVzdBodLmNhdXNld2F5LnYxLkRlc2NyaWJlUmVzcG9uc2USPwoFTGVhdmUSGS5jYXVzZXdheS52MS5MZWF2ZVJlcXVlc3QaGy5jYXVzZXdheS52MS5DaGFuZ2VSZXNwb25zZRJHCglSZWJhbGFuY2USHS5jYXVzZXdheS52MS5SZWJhbGFuY2VSZXF1ZXN0GhsuY2F1c2V3YXkudjEuQ2hhbmdlUmVzcG9uc2USOwoEUGxhbhIYLmNhdXNld2F5LnYxLlBsYW5SZXF1ZXN0GhkuY2F1c2V3YXkudjEuUGxhblJlc3BvbnNlYgZwcm90bzM=',
  },
  {
    name: 'grpc/health/v1/health.proto',
    services: ['grpc.health.v1.Health'],
    symbols: [
      'grpc.health.v1.HealthCheckRequest',
      'grpc.health.v1.HealthCheckResponse',
      'grpc.health.v1.HealthCheckResponse.ServingStatus',
      'grpc.health.v1.Health',
      'grpc.health.v1.Health.Check',
      'grpc.health.v1.Health.Watch',
    ],
    base64:
      'ChtncnBjL2hlYWx0aC92MS9oZWFsdGgucHJvdG8SDmdycGMuaGVhbHRoLnYxIiUKEkhlYWx0aENoZWNrUmVxdWVzdBIPCgdzZXJ2aWNlGAEgASgJIoUBChNIZWFsdGhDaGVja1Jlc3BvbnNlEh0KBnN0YXR1cxgBIAEoDjINU2VydmluZ1N0YXR1cyJPCg1TZXJ2aW5nU3RhdHVzEgsKB1VOS05PV04QABILCgdTRVJWSU5HEAESDwoLTk9UX1NFUlZJTkcQAhITCg9TRVJWSUNFX1VOS05PV04QAzKuAQoGSGVhbHRoElAKBUNoZWNrEiIuZ3JwYy5oZWFsdGgudjEuSGVhbHRoQ2hlY2tSZXF1ZXN0GiMuZ3JwYy5oZWFsdGgudjEuSGVhbHRoQ2hlY2tSZXNwb25zZRJSCgVXYXRjaBIiLmdycGMuaGVhbHRoLnYxLkhlYWx0aENoZWNrUmVxdWVzdBojLmdycGMuaGVhbHRoLnYxLkhlYWx0aENoZWNrUmVzcG9uc2UwAWIGcHJvdG8z',
  },
  {
    name: 'grpc/reflection/v1/reflection.proto',
    services: ['grpc.reflection.v1.ServerReflection'],
    symbols: [
      'grpc.reflection.v1.ServerReflectionRequest',
      'grpc.reflection.v1.ExtensionRequest',
      'grpc.reflection.v1.ServerReflectionResponse',
      'grpc.reflection.v1.FileDescriptorResponse',
      'grpc.reflection.v1.ExtensionNumberResponse',
      'grpc.reflection.v1.ListServiceResponse',
      'grpc.reflection.v1.ServiceResponse',
      'grpc.reflection.v1.ErrorResponse',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1.ServerReflection.ServerReflectionInfo',
    ],
    base64:
      'CiNncnBjL3JlZmxlY3Rpb24vdjEvcmVmbGVjdGlvbi5wcm90bxISZ3JwYy5yZWZsZWN0aW9uLnYxItgCChdTZXJ2ZXJSZWZsZWN0aW9uUmVxdWVzdBIMCgRob3N0GAEgASgJEioKEGZpbGVfYnlfZmlsZW5hbWUYAyABKAlIAFIOZmlsZUJ5RmlsZW5hbWUSNgoWZmlsZV9jb250YWluaW5nX3N5bWJvbBgEIAEoCUgAUhRmaWxlQ29udGFpbmluZ1N5bWJvbBJOChlmaWxlX2NvbnRhaW5pbmdfZXh0ZW5zaW9uGAUgASgLMhBFeHRlbnNpb25SZXF1ZXN0SABSF2ZpbGVDb250YWluaW5nRXh0ZW5zaW9uEkIKHWFsbF9leHRlbnNpb25fbnVtYmVyc19vZl90eXBlGAYgASgJSABSGWFsbEV4dGVuc2lvbk51bWJlcnNPZlR5cGUSJQoNbGlzdF9zZXJ2aWNlcxgHIAEoCUgAUgxsaXN0U2VydmljZXNCEAoObWVzc2FnZVJlcXVlc3QiZgoQRXh0ZW5zaW9uUmVxdWVzdBInCg9jb250YWluaW5nX3R5cGUYASABKAlSDmNvbnRhaW5pbmdUeXBlEikKEGV4dGVuc2lvbl9udW1iZXIYAiABKAVSD2V4dGVuc2lvbk51bWJlciLJAwoYU2VydmVyUmVmbGVjdGlvblJlc3BvbnNlEh0KCnZhbGlkX2hvc3QYASABKAlSCXZhbGlkSG9zdBJCChBvcmlnaW5hbF9yZXF1ZXN0GAIgASgLMhdTZXJ2ZXJSZWZsZWN0aW9uUmVxdWVzdFIPb3JpZ2luYWxSZXF1ZXN0ElIKGGZpbGVfZGVzY3JpcHRvcl9yZXNwb25zZRgEIAEoCzIWRmlsZURlc2NyaXB0b3JSZXNwb25zZUgAUhZmaWxlRGVzY3JpcHRvclJlc3BvbnNlEl4KHmFsbF9leHRlbnNpb25fbnVtYmVyc19yZXNwb25zZRgFIAEoCzIXRXh0ZW5zaW9uTnVtYmVyUmVzcG9uc2VIAFIbYWxsRXh0ZW5zaW9uTnVtYmVyc1Jlc3BvbnNlEksKFmxpc3Rfc2VydmljZXNfcmVzcG9uc2UYBiABKAsyE0xpc3RTZXJ2aWNlUmVzcG9uc2VIAFIUbGlzdFNlcnZpY2VzUmVzcG9uc2USNgoOZXJyb3JfcmVzcG9uc2UYByABKAsyDUVycm9yUmVzcG9uc2VIAFINZXJyb3JSZXNwb25zZUIRCg9tZXNzYWdlUmVzcG9uc2UiTAoWRmlsZURlc2NyaXB0b3JSZXNwb25zZRIyChVmaWxlX2Rlc2NyaXB0b3JfcHJvdG8YASADKAxSE2ZpbGVEZXNjcmlwdG9yUHJvdG8iagoXRXh0ZW5zaW9uTnVtYmVyUmVzcG9uc2USJAoOYmFzZV90eXBlX25hbWUYASABKAlSDGJhc2VUeXBlTmFtZRIpChBleHRlbnNpb25fbnVtYmVyGAIgAygFUg9leHRlbnNpb25OdW1iZXIiNwoTTGlzdFNlcnZpY2VSZXNwb25zZRIgCgdzZXJ2aWNlGAEgAygLMg9TZXJ2aWNlUmVzcG9uc2UiHwoPU2VydmljZVJlc3BvbnNlEgwKBG5hbWUYASABKAkiUwoNRXJyb3JSZXNwb25zZRIdCgplcnJvcl9jb2RlGAEgASgFUgllcnJvckNvZGUSIwoNZXJyb3JfbWVzc2FnZRgCIAEoCVIMZXJyb3JNZXNzYWdlMokBChBTZXJ2ZXJSZWZsZWN0aW9uEnUKFFNlcnZlclJlZmxlY3Rpb25JbmZvEisuZ3JwYy5yZWZsZWN0aW9uLnYxLlNlcnZlclJlZmxlY3Rpb25SZXF1ZXN0GiwuZ3JwYy5yZWZsZWN0aW9uLnYxLlNlcnZlclJlZmxlY3Rpb25SZXNwb25zZSgBMAFiBnByb3RvMw==',
  },
];
