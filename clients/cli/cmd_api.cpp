// THREAD: any - api export, api list: the contract itself, from this program; no daemon is needed
#include <CLI/CLI.hpp>

#include "clients/cli/context.hpp"
#include "clients/cli/contract_export.hpp"
#include "clients/cli/contract_list.hpp"
#include "clients/cli/failure.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/table.hpp"

namespace continuo::cli {
namespace {

int export_files(const Context& context, const std::string& folder) {
  export_contract(folder, contract_files());
  if (!context.json) {
    for (const ContractFile& file : contract_files()) print_line(file.name);
    return kOk;
  }
  std::string names;
  for (const ContractFile& file : contract_files()) names += (names.empty() ? "" : ",") + json_string(file.name);
  print_line("{\"folder\":" + json_string(folder) + ",\"files\":[" + names + "]}");
  return kOk;
}

std::string_view descriptor_set() {
  for (const ContractFile& file : contract_files()) {
    if (file.name == kDescriptorSet) return file.content;
  }
  return {};
}

std::string short_name(const std::string& full) { return full.substr(full.rfind('.') + 1); }

std::string short_role(const std::string& role) {
  std::string text = role.starts_with("ROLE_") ? role.substr(5) : "nobody";
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

const char* json_bool(bool value) { return value ? "true" : "false"; }

void list_methods(const Context& context, const ContractList& list) {
  Table table({"SERVICE", "METHOD", "ROLE", "TAKES", "ANSWERS"});
  for (const ContractMethod& m : list.methods) {
    if (context.json) {
      print_line("{\"service\":" + json_string(m.service) + ",\"method\":" + json_string(m.method) +
                 ",\"role\":" + json_string(m.role) + ",\"request\":" + json_string(m.request) +
                 ",\"response\":" + json_string(m.response) + ",\"client_streaming\":" + json_bool(m.client_streaming) +
                 ",\"server_streaming\":" + json_bool(m.server_streaming) + "}");
      continue;
    }
    table.add({short_name(m.service), m.method, short_role(m.role),
               (m.client_streaming ? "stream " : "") + short_name(m.request),
               (m.server_streaming ? "stream " : "") + short_name(m.response)});
  }
  if (!context.json) table.print();
}

void list_operations(const Context& context, const ContractList& list) {
  Table table({"OPERATION", "ROLE", "MESSAGE"});
  for (const ContractOperation& operation : list.operations) {
    if (context.json) {
      print_line("{\"operation\":" + json_string(operation.name) + ",\"role\":" + json_string(operation.role) +
                 ",\"message\":" + json_string(operation.message) + "}");
      continue;
    }
    table.add({operation.name, short_role(operation.role), short_name(operation.message)});
  }
  if (!context.json) table.print();
}

}  // namespace

void add_api_commands(CLI::App& app, Context& context) {
  CLI::App* api = app.add_subcommand("api", "The contract itself, for clients of your own; needs no daemon");
  api->require_subcommand(1);

  auto folder = std::make_shared<std::string>();
  CLI::App* command = api->add_subcommand("export", "Write the proto files and their descriptor set into a folder");
  command->add_option("FOLDER", *folder, "Made where it is missing")->required();
  command->callback([&context, folder] {
    context.run = [&context, folder] {
      if (folder->empty()) throw Failure(kUsage, "USAGE", "FOLDER", "the folder has no name");
      return export_files(context, *folder);
    };
  });

  auto operations = std::make_shared<bool>(false);
  command = api->add_subcommand("list", "Services and methods, and the least role that may call each");
  command->add_flag("--operations", *operations, "What a transaction is made of, in their place");
  command->callback([&context, operations] {
    context.run = [&context, operations] {
      const ContractList list = list_contract(descriptor_set());
      *operations ? list_operations(context, list) : list_methods(context, list);
      return static_cast<int>(kOk);
    };
  });
}

}  // namespace continuo::cli
