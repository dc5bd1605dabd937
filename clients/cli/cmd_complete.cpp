// THREAD: any - __complete: what the shell offers at Tab; never an error, never more than a blink
#include <CLI/CLI.hpp>

#include "clients/cli/failure.hpp"
#include "clients/cli/job_client.hpp"
#include "clients/cli/media_client.hpp"
#include "clients/cli/meter_values.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"

namespace continuo::cli {
namespace {

constexpr std::chrono::milliseconds kPatience{300};
constexpr std::size_t kMaxOffered = 1000;

void print_paths(const google::protobuf::RepeatedPtrField<v1::Node>& nodes, const std::string& prefix) {
  for (const v1::Node& node : nodes) {
    print_line(printable(prefix + node.id()));
    print_paths(node.children(), prefix + node.id() + "/");
  }
}

// Subcommands and options at the place that the words lead to.
void print_words(const CLI::App& root, const std::vector<std::string>& words) {
  const CLI::App* place = &root;
  for (const std::string& word : words) {
    for (const CLI::App* sub : place->get_subcommands([](const CLI::App*) { return true; })) {
      if (sub->get_name() == word) {
        place = sub;
        break;
      }
    }
  }
  for (const CLI::App* sub : place->get_subcommands([](const CLI::App*) { return true; })) {
    if (!sub->get_name().starts_with("__")) print_line(sub->get_name());
  }
  for (const CLI::App* app = place; app != nullptr; app = app == &root ? nullptr : &root) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) print_line("--" + name);
    }
  }
}

void complete(Context& context, const CLI::App& root, const std::string& what, const std::vector<std::string>& words) {
  if (what == "words") return print_words(root, words);
  if (what == "kinds") {
    for (const std::string& name : kind_names()) print_line(name);
    return;
  }
  Connection daemon(find_server(address_sources(context.server)), kPatience);
  if (what == "nodes") {
    const v1::Session session = parse_session(daemon.session_text().json);
    print_paths(session.nodes(), "");
    for (const char* device : {"in", "out"}) {
      if (find_node(session, device) == nullptr) print_line(device);
    }
  } else if (what == "params" && !words.empty()) {  // of the node before the dot
    const std::string path = words.front().substr(0, words.front().find('.'));
    const v1::ListParamsResponse response = daemon.list_params(path);
    for (const auto& param : response.params()) print_line(printable(path + "." + param.spec().name()));
  } else if (what == "types") {
    const v1::ListTypesResponse response = daemon.list_types();
    for (const v1::NodeType& type : response.types()) {
      if (type.creatable()) print_line(printable(type.name()));
    }
  } else if (what == "media") {  // what is in the folder that the word so far names
    const std::string begun = words.empty() ? "" : words.front();
    const std::size_t end = begun.find_last_of(":/");
    const std::string folder = end == std::string::npos ? "" : begun.substr(0, begun[end] == ':' ? end + 1 : end);
    MediaClient(daemon.address(), kPatience).list(folder, false, kMaxOffered, [](const v1::MediaEntry& entry) {
      const bool slash = entry.kind() == v1::MediaEntry::KIND_FOLDER && !entry.path().ends_with(':');
      print_line(printable(entry.path() + (slash ? "/" : "")));
    });
  } else if (what == "cues") {
    const v1::Session session = parse_session(daemon.session_text().json);
    for (const v1::Cue& cue : session.cues()) print_line(printable(cue.name()));
  } else if (what == "measurements") {
    const v1::ListMeasurementsResponse all = daemon.list_measurements();
    for (const v1::Measurement& one : all.measurements()) print_line(printable(one.name()));
  } else if (what == "jobs") {
    JobClient(daemon.address(), kPatience).list([](const v1::Job& job) { print_line(std::to_string(job.job_id())); });
  } else if (what == "devices") {
    const v1::ListDevicesResponse response = daemon.list_devices();
    for (const auto& device : response.devices()) print_line(printable(device.name()));
  }
}

}  // namespace

void add_complete_command(CLI::App& app, Context& context) {
  auto words = std::make_shared<std::vector<std::string>>();
  auto what = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("__complete", "")->group("");
  command->add_option("WHAT", *what)->required();
  command->add_option("WORDS", *words);
  command->callback([&app, &context, what, words] {
    context.run = [&app, &context, what, words] {
      try {
        complete(context, app, *what, *words);
      } catch (const Failure&) {
        // The shell offers nothing.
      }
      return static_cast<int>(kOk);
    };
  });
}

}  // namespace continuo::cli
