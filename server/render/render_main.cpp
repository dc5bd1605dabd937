// The program continuo-render: renders, checks, compares and measures; needs neither daemon nor device.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>

#include "rt/cpu_level.hpp"
#include "server/base/exit_code.hpp"
#include "server/render/arguments.hpp"
#include "server/render/compare.hpp"
#include "server/render/measure.hpp"
#include "server/render/measure_report.hpp"
#include "server/render/media_scan.hpp"
#include "server/render/offline_renderer.hpp"
#include "server/render/progress.hpp"
#include "server/render/report.hpp"
#include "server/render/session_text.hpp"
#include "server/render/verify.hpp"
#include "server/session/cue.hpp"
#include "server/session/warnings.hpp"

namespace {

using namespace continuo;
using namespace continuo::render;

constexpr int kExitDiffers = 1;
constexpr int kExitCannotCreate = 73;

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

/// The samples may have standard output for themselves.
std::FILE* talk(const Arguments& arguments) { return arguments.options.pipe ? stderr : stdout; }

int say(const Arguments& arguments, const std::string& text) {
  if (std::fprintf(talk(arguments), "%s\n", text.c_str()) >= 0 && std::fflush(talk(arguments)) == 0) return kExitOk;
  std::fprintf(stderr, "continuo-render: cannot write the output\n");
  return exit_code(ErrorKind::data_loss);
}

int fail(const Arguments& arguments, const Error& error, int code) {
  if (arguments.json) (void)say(arguments, error_json(error, code));
  std::fprintf(stderr, "continuo-render: %s\n", error_text(error).c_str());
  return code;
}
int fail(const Arguments& arguments, const Error& error) {
  return fail(arguments, error, error.reason == "FOLDER_NOT_FOUND" ? kExitCannotCreate : exit_code(error.kind));
}

/// The session as the command line wants it.
Result<session::Document> read_document(Arguments& arguments) {
  auto document = read_session(arguments.session);
  if (!document) return document;
  for (const std::string& text : arguments.sets) {
    if (auto ok = set_param(*document, text); !ok) return ok.error();
  }
  for (const std::string& text : arguments.media) {
    if (auto ok = give_media(*document, text, arguments.options.given); !ok) return ok.error();
  }
  for (const std::string& text : arguments.inputs) {
    if (auto ok = give_input(*document, text, arguments.options.given); !ok) return ok.error();
  }
  return document;
}

int check_session(const Arguments& arguments, const session::Document& document) {
  const RenderOptions& options = arguments.options;
  MediaScan scan = scan_media(document, options.roots, options.base, options.given.media);
  scan_cues(scan, document, options.roots, options.base, options.given.media);
  constexpr std::size_t kMostWarnings = 200;  // of a kind
  for (auto& lines : {session::items_beyond_file({}, document, scan.table, kMostWarnings),
                      session::broken_cues({}, document, kMostWarnings), session::backward_takes(document, kMostWarnings)})
    scan.warnings.insert(scan.warnings.end(), lines.begin(), lines.end());
  std::size_t nodes = 0;
  session::for_each_node(document.nodes, "", [&](const std::string&, const session::DocNode&) { ++nodes; });
  if (const int code = say(arguments, arguments.json ? check_json(nodes, scan) : check_text(nodes, scan))) return code;
  // A root that was not named here may well exist where the session is played.
  for (const MissingMedia& missing : scan.missing) {
    if (missing.error.reason != "UNKNOWN_ROOT") return exit_code(missing.error.kind);
  }
  return kExitOk;
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

int render_session(const Arguments& arguments, const session::Document& document) {
  const auto began = std::chrono::steady_clock::now();
  Progress progress(stderr, ::isatty(STDERR_FILENO) != 0);
  RenderOptions options = arguments.options;
  options.cancelled = &interrupted;
  if (arguments.progress) {
    options.progress = [&](std::int64_t done, std::int64_t frames, double rate_hz) {
      progress.show(done, frames, rate_hz);
    };
  }
  ProgressLines lines(talk(arguments));
  if (arguments.progress_json) {
    options.progress = [&](std::int64_t done, std::int64_t frames, double) {
      if (!lines.show(done, frames)) interrupted.store(true, std::memory_order_relaxed);
    };
  }
  auto renderer = OfflineRenderer::prepare(document, options);
  if (!renderer) return fail(arguments, renderer.error());
  const auto result = (*renderer)->render();
  progress.end();
  if (!result) return fail(arguments, result.error());
  if (arguments.verify) {
    if (auto same = verify_render(document, options, *result); !same) return fail(arguments, same.error());
  }
  if (auto ok = (*renderer)->publish(); !ok) return fail(arguments, ok.error());
  constexpr std::size_t kMostLines = 10;  // the JSON has them all
  for (std::size_t i = 0; i < std::min(result->warnings.size(), kMostLines); ++i)
    std::fprintf(stderr, "continuo-render: %s\n", one_line(result->warnings[i]).c_str());
  if (result->warnings.size() > kMostLines)
    std::fprintf(stderr, "continuo-render: ... and %zu more\n", result->warnings.size() - kMostLines);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
  const Effort effort{wall.count(), cpu_seconds(), arguments.verify};
  return say(arguments, arguments.json ? render_json(*result, effort) : render_text(*result));
}

int compare_pair(const Arguments& arguments) {
  const auto comparison = compare_files(arguments.a, arguments.b, arguments.offset);
  if (!comparison) return fail(arguments, comparison.error());
  const int code =
      say(arguments, arguments.json ? compare_json(*comparison) : compare_text(*comparison, arguments.a, arguments.b));
  return code != kExitOk || comparison->identical ? code : kExitDiffers;
}

/// A file that cannot be measured holds up none of the others.
int measure_all(const Arguments& arguments) {
  MeasureOptions options = arguments.measure;
  options.cancelled = &interrupted;
  int code = kExitOk;
  bool headed = arguments.json;
  for (const std::string& file : arguments.files) {
    const auto measure = measure_file(file, options);
    if (!measure) {
      const int failed = exit_code(measure.error().kind);
      if (code == kExitOk) code = failed;
      std::fprintf(stderr, "continuo-render: %s\n", error_text(measure.error()).c_str());
      if (arguments.json && say(arguments, measure_error_json(file, measure.error(), failed)) != kExitOk)
        return exit_code(ErrorKind::data_loss);
      if (measure.error().kind == ErrorKind::aborted) return failed;
      continue;
    }
    if (measure->info.missing_frames > 0)
      std::fprintf(stderr, "continuo-render: %s\n", one_line(file + media::cut_off_text(measure->info)).c_str());
    std::string text = arguments.json ? measure_json(file, *measure) : measure_row(file, *measure);
    if (!headed) text = measure_heading() + "\n" + text;
    headed = true;
    if (const int said = say(arguments, text)) return said;
  }
  return code;
}

void prepare_process() {
  // A file and a few blocks of memory for each player: as many as the system lets us.
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  // A limit on file sizes and a reader that has gone are errors like a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    std::signal(number, [](int) { interrupted.store(true, std::memory_order_relaxed); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (const auto parsed = parse_arguments(argc, argv, arguments); !parsed)
    return fail(arguments, parsed.error(), kExitUsage);
  if (arguments.task == Task::said) return kExitOk;
  prepare_process();
  bool refused = false;
  const rt::CpuLevel level = rt::chosen_cpu_level(&refused);
  if (refused)
    std::fprintf(stderr, "continuo-render: CONTINUO_CPU names no level that this machine has; taken: %s\n",
                 std::string(rt::name_of(level)).c_str());
  if (arguments.task == Task::compare) return compare_pair(arguments);
  if (arguments.task == Task::measure) return measure_all(arguments);
  const auto document = read_document(arguments);
  if (!document) return fail(arguments, document.error());
  return arguments.task == Task::check ? check_session(arguments, *document) : render_session(arguments, *document);
}
