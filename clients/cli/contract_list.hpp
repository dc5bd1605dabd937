// THREAD: any - what the contract offers, and the role that each method and operation asks for
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace continuo::cli {

struct ContractMethod {
  std::string service;  // "continuo.v1.SessionService"
  std::string method;
  std::string request;  // full names of messages
  std::string response;
  bool client_streaming = false;
  bool server_streaming = false;
  std::string role;  // "ROLE_VIEWER"; empty: none is named, and nobody may call it
};

struct ContractOperation {
  std::string name;  // "set_params": its name in a transaction
  std::string message;
  std::string role;
};

struct ContractList {
  std::vector<ContractMethod> methods;        // by service, each in the order of its file
  std::vector<ContractOperation> operations;  // by number
};

/// Throws EX_SOFTWARE where the bytes are no complete descriptor set.
[[nodiscard]] ContractList list_contract(std::string_view descriptor_set);

}  // namespace continuo::cli
