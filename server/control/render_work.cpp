#include "server/control/render_work.hpp"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <span>

#include "server/base/log.hpp"
#include "server/media/file_text.hpp"
#include "server/media/sample_writer.hpp"
#include "server/media/take_file.hpp"
#include "server/session/names.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/session_file.hpp"

namespace continuo::control {
namespace {

constexpr int kMostWarnings = 20;
constexpr std::size_t kMostText = 500;  // of a warning

Error bad(const char* reason, const char* field, std::string message) {
  return make_error(ErrorKind::invalid_argument, reason, field, std::move(message));
}

bool is_flac(const std::string& file) { return media::container_of(file) == media::Container::flac; }

google::protobuf::Struct parse(const std::string& line) {
  google::protobuf::Struct value;
  if (!google::protobuf::util::JsonStringToMessage(line, &value).ok()) value.Clear();
  return value;
}
double number(const google::protobuf::Struct& in, const char* name) {
  const auto found = in.fields().find(name);
  return found == in.fields().end() ? 0.0 : found->second.number_value();
}
std::string text(const google::protobuf::Struct& in, const char* name) {
  const auto found = in.fields().find(name);
  return found == in.fields().end() ? std::string() : found->second.string_value();
}

/// As continuo-render prints it.
v1::Loudness loudness_of(const google::protobuf::Struct& in) {
  v1::Loudness loudness;
  if (in.fields().contains("integrated_lufs")) loudness.set_integrated_lufs(number(in, "integrated_lufs"));
  if (in.fields().contains("range_lu")) loudness.set_range_lu(number(in, "range_lu"));
  loudness.set_max_momentary_lufs(number(in, "max_momentary_lufs"));
  loudness.set_max_short_term_lufs(number(in, "max_short_term_lufs"));
  loudness.set_max_true_peak_db(number(in, "true_peak_dbtp"));
  return loudness;
}

/// A file without a name that holds `content`, read from its beginning.
Result<Descriptor> nameless(const std::string& content) {
  Descriptor file(::memfd_create("continuo-session", MFD_CLOEXEC));
  std::size_t written = 0;
  const int number = file ? media::write_all(file.get(), 0, std::as_bytes(std::span(content)), written) : errno;
  if (number == 0) return file;
  return make_error(ErrorKind::internal, "RENDER_NOT_STARTED", "",
                    std::string("cannot hand over the session: ") + std::strerror(number));
}

/// What the program's exit and last words come to.
Result<v1::Job> result_of(const RenderChild::Ended& ended, const std::string& file) {
  if (ended.signal != 0) {
    return make_error(ErrorKind::internal, "RENDER_DIED", "",
                      "the render's process was ended by signal " + std::to_string(ended.signal) + " (" +
                          ::strsignal(ended.signal) + ")");
  }
  const google::protobuf::Struct answer = parse(ended.answer);
  if (ended.code != 0) {
    const auto error = answer.fields().find("error");
    if (error == answer.fields().end())
      return make_error(ErrorKind::internal, "RENDER_FAILED", "",
                        "the render's process ended with " + std::to_string(ended.code) + ": " +
                            media::readable(ended.said.substr(0, kMostText)));
    const google::protobuf::Struct& told = error->second.struct_value();
    return make_error(ErrorKind::failed_precondition, text(told, "reason"), text(told, "field"), text(told, "message"));
  }
  v1::Job job;
  v1::RenderResult& result = *job.mutable_render();
  result.set_file(file);
  result.set_frames(std::llround(number(answer, "frames")));
  result.set_sample_rate_hz(static_cast<std::uint32_t>(number(answer, "sample_rate_hz")));
  result.set_channels(static_cast<std::uint32_t>(number(answer, "channels")));
  result.set_peak_db(number(answer, "peak_db"));
  result.set_speed(number(answer, "times_real_time"));
  const auto warnings = answer.fields().find("warnings");
  if (warnings != answer.fields().end()) {
    for (const auto& line : warnings->second.list_value().values()) {
      if (result.warnings_size() == kMostWarnings) break;
      result.add_warnings(media::readable(line.string_value().substr(0, kMostText)));
    }
  }
  if (const auto loudness = answer.fields().find("loudness"); loudness != answer.fields().end())
    *result.mutable_loudness() = loudness_of(loudness->second.struct_value());
  if (const auto stems = answer.fields().find("stems"); stems != answer.fields().end()) {
    for (const auto& each : stems->second.list_value().values()) {
      v1::RenderResult::Stem& stem = *result.add_stems();
      stem.set_node(text(each.struct_value(), "node"));
      *stem.mutable_loudness() = loudness_of(each.struct_value());
    }
  }
  if (result.frames() == 0)
    return make_error(ErrorKind::internal, "RENDER_FAILED", "", "the render's process gave no answer");
  return job;
}

/// Why no render tells this node's loudness, whatever plays; empty: nothing says so.
std::string why_no_sound(const session::DocNode& node) {
  const session::TypeSpec* const type = session::find_type(node.type);
  if (type == nullptr) return {};
  if (type->role == session::TypeRole::device_in) return ": the device's inputs are silent in a render";
  if (type->role == session::TypeRole::container) return " is a " + node.type + ": no sound comes out of it";
  return {};
}

Result<> check_stems(const v1::StartRenderRequest& request, const session::Document& document) {
  std::size_t count = static_cast<std::size_t>(request.loudness_of_size());
  if (request.loudness_stems()) {
    session::for_each_node(document.nodes, "", [&](const std::string&, const session::DocNode& node) {
      const session::TypeSpec* const type = session::find_type(node.type);
      count += type != nullptr && session::is_strip(type->role);
    });
  }
  if (count > kMaxStems) {
    return bad(
        "TOO_MANY", request.loudness_stems() ? "loudness_stems" : "loudness_of",
        "the loudness of at most " + std::to_string(kMaxStems) + " nodes is told, not of " + std::to_string(count));
  }
  for (int i = 0; i < request.loudness_of_size(); ++i) {
    const std::string& path = request.loudness_of(i);
    const std::string field = "loudness_of[" + std::to_string(i) + "]";
    const session::DocNode* const node = session::find_node(document, path);
    if (node == nullptr)
      return make_error(ErrorKind::not_found, "UNKNOWN_NODE", field, "there is no node " + session::quoted(path));
    if (const std::string why = why_no_sound(*node); !why.empty()) return bad("NO_SOUND", field.c_str(), path + why);
  }
  return {};
}

}  // namespace

Result<> check_render(const v1::StartRenderRequest& request, const session::Document& document) {
  const std::string& file = request.file();
  const std::string_view name = media::split_name(file).name;
  if (!media::is_utf8(file) || media::readable(file) != file || name.empty() || name.find('/') != std::string::npos)
    return bad("BAD_FILE_NAME", "file", "not a file's name: \"" + media::readable(file) + "\"");
  const auto container = media::container_of(file);
  if (container != media::Container::wav && container != media::Container::flac)
    return bad("BAD_FORMAT", "file", "a render's file ends in .wav or .flac: " + file);
  const std::string& format = request.sample_format();
  if (!format.empty() && format != "pcm16" && format != "pcm24" && format != "float32")
    return bad("BAD_FORMAT", "sample_format", "\"" + format + "\" is none of pcm16, pcm24, float32");
  if (format == "float32" && is_flac(file))
    return bad("BAD_FORMAT", "sample_format", "a FLAC file holds no floats: take pcm24");
  const std::int64_t start = request.start_frame();
  const std::string greatest = "at frame " + std::to_string(kMostRenderFrames) + " at the latest, not at ";
  if (start < 0)
    return bad("OUT_OF_RANGE", "start_frame", "a render begins at 0 or later, not at " + std::to_string(start));
  if (start > kMostRenderFrames)
    return bad("OUT_OF_RANGE", "start_frame", "a render begins " + greatest + std::to_string(start));
  if (request.has_end_frame() && request.end_frame() > kMostRenderFrames)
    return bad("OUT_OF_RANGE", "end_frame", "a render ends " + greatest + std::to_string(request.end_frame()));
  if (request.has_end_frame() && request.end_frame() <= start)
    return bad("EMPTY_RANGE", "end_frame",
               "the render ends before it begins: frame " + std::to_string(start) + " to " +
                   std::to_string(request.end_frame()));
  return check_stems(request, document);
}

std::vector<std::string> render_arguments(const RenderOrder& order) {
  const v1::StartRenderRequest& request = order.request;
  const std::string& format = request.sample_format();
  char rate[64];
  std::snprintf(rate, sizeof rate, "%.17g", order.rate_hz);
  std::vector<std::string> words{RenderChild::kSession,
                                 "--output=" + request.file(),
                                 std::string("--output-fd=") + RenderChild::kOutput,
                                 "--base=" + (order.base.empty() ? std::string("none") : order.base),
                                 "--silent-missing",
                                 "--progress-json",
                                 "--json",
                                 std::string("--rate=") + rate,
                                 std::string("--bits=") + (format == "pcm16"     ? "16"
                                                           : format == "float32" ? "32f"
                                                                                 : "24"),
                                 "--from=" + std::to_string(request.start_frame()) + "f"};
  if (request.has_end_frame())
    words.push_back("--to=" + std::to_string(request.end_frame()) + "f");
  else
    words.push_back("--tail=auto");
  if (request.loudness()) words.emplace_back("--loudness");
  if (request.loudness_stems()) words.emplace_back("--loudness-stems");
  for (const std::string& node : request.loudness_of()) words.push_back("--loudness-of=" + node);
  for (const auto& [name, folder] : order.roots.folders()) {
    if (!name.empty()) words.push_back("--media-root=" + name + "=" + folder.string());
  }
  return words;
}

Result<Rendered> render_aside(const RenderOrder& order, RenderChild& child,
                              const std::function<void(double)>& progress) {
  const auto session = nameless(session::print_session(*order.document));
  if (!session) return session.error();
  auto file = media::HiddenFile::make(order.roots, order.request.file(), order.hidden, order.request.overwrite());
  if (!file) return file.error();
  Rendered rendered;
  rendered.file = std::make_shared<media::HiddenFile>(*std::move(file));
  const auto ended = child.run({.program = order.program,
                                .arguments = render_arguments(order),
                                .session = session->get(),
                                .output = rendered.file->descriptor()},
                               [&](const std::string& line) { progress(number(parse(line), "progress")); });
  if (!ended) return ended.error();
  if (!ended->said.empty()) log::debug("a render says: {}", media::readable(ended->said));
  auto result = result_of(*ended, order.request.file());
  if (!result) return result.error();
  rendered.result = *std::move(result);
  return rendered;
}

}  // namespace continuo::control
