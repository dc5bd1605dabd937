// The program continuo-render: renders, checks and compares; needs neither daemon nor device.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "server/base/exit_code.hpp"
#include "server/render/compare.hpp"
#include "server/render/media_scan.hpp"
#include "server/render/offline_renderer.hpp"
#include "server/render/report.hpp"
#include "server/render/session_text.hpp"

namespace {

using namespace continuo;
using namespace continuo::render;

constexpr const char* kFooter =
    "Times: 1:02.5 (minutes), 62.5s, 250ms, 48000f (frames of the session's rate). Media are found relative to the "
    "session's\n"
    "file and below the roots that --media-root names. Free players do not play in a render; device inputs are "
    "silent.\n"
    "compare: exit code 0 for equal samples, 1 for different ones.\n"
    "Exit codes: 0 done, 64 usage, 65 bad data, 66 no such file, 70 our fault, 73 output exists or cannot be made,\n"
    "74 I/O or full disk, 75 interrupted, 77 refused.";
constexpr int kExitDiffers = 1;
constexpr int kExitCannotCreate = 73;

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

struct Arguments {
  std::string session;
  std::string output;
  std::string from = "0";
  std::string to;
  std::string length;
  double rate_hz = 0.0;
  std::string bits = "32f";
  std::vector<std::string> roots;
  std::uint32_t block = 1024;
  bool force = false;
  bool check = false;
  bool json = false;
  std::string a;
  std::string b;
};

int say(const std::string& text) {
  if (std::printf("%s\n", text.c_str()) >= 0 && std::fflush(stdout) == 0) return kExitOk;
  std::fprintf(stderr, "continuo-render: cannot write the output\n");
  return exit_code(ErrorKind::data_loss);
}

int fail(const Error& error, bool json, int code) {
  if (json) (void)say(error_json(error, code));
  std::fprintf(stderr, "continuo-render: %s\n", error_text(error).c_str());
  return code;
}
int fail(const Error& error, bool json) { return fail(error, json, exit_code(error.kind)); }
int usage(const Arguments& arguments, std::string field, std::string message) {
  return fail(make_error(ErrorKind::invalid_argument, "USAGE", std::move(field), std::move(message)), arguments.json,
              kExitUsage);
}

/// The session's own folder is the root without a name, see Roots.
std::map<std::string, std::filesystem::path> media_roots(const Arguments& arguments, std::string& wrong) {
  std::filesystem::path folder = std::filesystem::path(arguments.session).parent_path();
  if (folder.empty()) folder = ".";
  std::map<std::string, std::filesystem::path> roots{{"", folder}};
  for (const std::string& root : arguments.roots) {
    const std::size_t equals = root.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == root.size() || root.find_first_of(":/") < equals)
      wrong = root;
    else
      roots[root.substr(0, equals)] = root.substr(equals + 1);
  }
  return roots;
}

int check_session(const Arguments& arguments, const session::Document& document, const media::Roots& roots) {
  const MediaScan scan = scan_media(document, roots, ":");
  std::size_t nodes = 0;
  session::for_each_node(document.nodes, "", [&](const std::string&, const session::DocNode&) { ++nodes; });
  if (const int code = say(arguments.json ? check_json(nodes, scan) : check_text(nodes, scan))) return code;
  // A root that was not named here may well exist where the session is played.
  for (const MissingMedia& missing : scan.missing) {
    if (missing.error.reason != "UNKNOWN_ROOT") return exit_code(missing.error.kind);
  }
  return kExitOk;
}

int render_session(const Arguments& arguments) {
  if (!arguments.check && arguments.output.empty()) return usage(arguments, "-o", "say where to: -o OUT.wav");
  RenderOptions options;
  options.output = arguments.output;
  if (std::string ending = options.output.extension().string();
      !arguments.check && CLI::detail::to_lower(ending) != ".wav") {
    return usage(arguments, "-o", "the output is a WAV file; name it so: " + arguments.output + ".wav");
  }
  for (const auto& [text, field, into] :
       {std::tuple(&arguments.to, "--to", &options.to), std::tuple(&arguments.length, "--for", &options.length)}) {
    if (text->empty()) continue;
    const auto time = parse_time(*text, field);
    if (!time) return fail(time.error(), arguments.json, kExitUsage);
    *into = *time;
  }
  const auto from = parse_time(arguments.from, "--from");
  if (!from) return fail(from.error(), arguments.json, kExitUsage);
  std::string wrong;
  options.roots = media::Roots(media_roots(arguments, wrong));
  if (!wrong.empty()) return usage(arguments, "--media-root", "\"" + wrong + "\" is not NAME=FOLDER");

  const auto document = read_session(arguments.session);
  if (!document) return fail(document.error(), arguments.json);
  if (arguments.check) return check_session(arguments, *document, options.roots);

  options.base = ":";
  options.from = *from;
  options.sample_rate_hz = arguments.rate_hz;
  options.block_frames = arguments.block;
  options.format = arguments.bits == "16"   ? media::SampleFormat::pcm16
                   : arguments.bits == "24" ? media::SampleFormat::pcm24
                                            : media::SampleFormat::float32;
  options.overwrite = arguments.force;
  options.cancelled = &interrupted;
  auto renderer = OfflineRenderer::prepare(*document, options);
  if (!renderer) {
    const Error& error = renderer.error();
    return error.reason == "FOLDER_NOT_FOUND" ? fail(error, arguments.json, kExitCannotCreate)
                                              : fail(error, arguments.json);
  }
  const auto result = (*renderer)->run();
  if (!result) return fail(result.error(), arguments.json);
  return say(arguments.json ? render_json(*result) : render_text(*result));
}

int compare_pair(const Arguments& arguments) {
  const auto comparison = compare_files(arguments.a, arguments.b);
  if (!comparison) return fail(comparison.error(), arguments.json);
  const int code =
      say(arguments.json ? compare_json(*comparison) : compare_text(*comparison, arguments.a, arguments.b));
  return code != kExitOk || comparison->identical ? code : kExitDiffers;
}

void add_options(CLI::App& app, Arguments& a) {
  app.add_option("SESSION", a.session, "The session file");
  app.add_option("-o,--output", a.output, "The WAV file to make");
  app.add_option("--from", a.from, "Where on the timeline to begin; else 0");
  auto* to = app.add_option("--to", a.to, "Where to end; else with the last timeline player");
  app.add_option("--for", a.length, "How long, instead of --to")->excludes(to);
  app.add_option("--rate", a.rate_hz, "Hz; else the session's, else 48000");
  app.add_option("--bits", a.bits, "16, 24 or 32f (float, the default)")->check(CLI::IsMember({"16", "24", "32f"}));
  app.add_option("--media-root,--media", a.roots, "NAME=FOLDER, for media named \"NAME:file\"; may be repeated")
      ->expected(1)
      ->take_all();
  app.add_option("--block", a.block, "Frames that the engine renders at once; changes no sample")
      ->check(CLI::Range(1, 65536));
  app.add_flag("--force", a.force, "Replace an existing output");
  app.add_flag("--check", a.check, "Only check the session and its media");
  app.add_flag("--json", a.json, "Answer in one line of JSON");
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Renders a Continuo session offline, faster than real time", "continuo-render");
  app.set_version_flag("-V,--version", "continuo-render " CONTINUO_VERSION);
  app.footer(kFooter);
  app.fallthrough();
  add_options(app, arguments);
  CLI::App* comparing = app.add_subcommand("compare", "Compare two audio files sample by sample");
  comparing->add_option("A", arguments.a, "An audio file")->required();
  comparing->add_option("B", arguments.b, "Another")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return usage(arguments, "", std::string(error.what()) + "; see continuo-render --help");
  }

  // A file and a few blocks of memory for each player: as many as the system lets us.
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is an error like a full disk
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    std::signal(number, [](int) { interrupted.store(true, std::memory_order_relaxed); });
  }
  if (comparing->parsed()) return compare_pair(arguments);
  if (arguments.session.empty()) return usage(arguments, "SESSION", "name a session file; see continuo-render --help");
  return render_session(arguments);
}
