#include "clients/cli/contract_list.hpp"

#include <continuo/v1/options.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <map>

#include "clients/cli/failure.hpp"

namespace continuo::cli {
namespace {

namespace pb = google::protobuf;

std::string role_name(v1::Role role) { return role == v1::ROLE_UNSPECIFIED ? "" : v1::Role_Name(role); }

void add_methods(const pb::ServiceDescriptor& service, ContractList& list) {
  for (int i = 0; i < service.method_count(); ++i) {
    const pb::MethodDescriptor& method = *service.method(i);
    list.methods.push_back({service.full_name(), method.name(), method.input_type()->full_name(),
                            method.output_type()->full_name(), method.client_streaming(), method.server_streaming(),
                            role_name(method.options().GetExtension(v1::role))});
  }
}

}  // namespace

ContractList list_contract(std::string_view descriptor_set) {
  const Failure broken(kFault, "BROKEN_CONTRACT", "", "the contract in this program is not whole");
  pb::FileDescriptorSet set;
  if (!set.ParseFromArray(descriptor_set.data(), static_cast<int>(descriptor_set.size()))) throw broken;
  pb::DescriptorPool pool;
  std::map<std::string, const pb::ServiceDescriptor*> services;
  for (const pb::FileDescriptorProto& proto : set.file()) {  // each behind what it imports
    const pb::FileDescriptor* file = pool.BuildFile(proto);
    if (file == nullptr) throw broken;
    for (int i = 0; i < file->service_count(); ++i) services[file->service(i)->full_name()] = file->service(i);
  }
  ContractList list;
  const pb::Descriptor* operation = pool.FindMessageTypeByName("continuo.v1.Operation");
  for (const auto& [name, service] : services) add_methods(*service, list);
  if (list.methods.empty() || operation == nullptr) throw broken;
  for (int i = 0; i < operation->field_count(); ++i) {
    const pb::FieldDescriptor& field = *operation->field(i);
    list.operations.push_back({field.name(), field.message_type() == nullptr ? "" : field.message_type()->full_name(),
                               role_name(field.options().GetExtension(v1::operation_role))});
  }
  return list;
}

}  // namespace continuo::cli
