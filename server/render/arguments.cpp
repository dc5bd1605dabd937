#include "server/render/arguments.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <filesystem>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

#include "server/media/sample_writer.hpp"
#include "server/render/crew.hpp"

namespace continuo::render {
namespace {

constexpr const char* kFooter =
    "Times: 1:02.5 (minutes), 62.5s, 250ms, 48000f (frames of the session's rate).\n"
    "Media are found relative to the session's file and below the roots that --media-root names; files that are named\n"
    "here are relative to the working directory. Where an option is given twice for one thing, the last one counts.\n"
    "Free players do not play in a render; device inputs are silent, unless --input in=FILE.\n"
    "Output: .wav (RF64 from 4 GiB on), .w64, .aiff, .flac (no floats: 24 bits, unless --bits 16); - is a WAV stream "
    "to\n"
    "standard output, and what else there is to say goes to standard error.\n"
    "--tail auto: on from the end until no channel has reached -100 dBFS for 1 s, at most 60 s; kept up to the last\n"
    "frame that does. The timeline rolls on in a tail.\n"
    "--dither: TPDF of 2 LSB peak to peak before samples become integers; without the option with --bits 16 alone.\n"
    "--loudness-of and --loudness-stems hear a node as a meter of the session does: a track or bus behind its fader,\n"
    "muted where it is, another node as it leaves it. They measure the stretch of the timeline that the file has, its\n"
    "tail included, each node freed of its own latency.\n"
    "sha256 in --json: of the interleaved samples as a WAV file of these bits holds them, whatever the container.\n"
    "measure: a row (with --json a line) for each file; the exit code is that of the first that cannot be measured.\n"
    "compare: exit code 0 for equal samples, 1 for different ones; with --offset of the frames that both have.\n"
    "Exit codes: 0 done, 64 usage, 65 bad data, 66 no such file or node, 70 our fault (--verify found a difference),\n"
    "73 output exists or cannot be made, 74 I/O or full disk, 75 interrupted, 77 refused.";

/// As they come; what they mean together is settled afterwards.
struct Words {
  std::string output;
  std::string from = "0";
  std::string to;
  std::string length;
  std::string tail;
  std::string bits;
  std::string dither;
  std::string offset;
  std::vector<std::string> roots;
  std::string base;
  int into = -1;
  bool check = false;
};

Error usage(std::string field, std::string message) {
  return make_error(ErrorKind::invalid_argument, "USAGE", std::move(field), std::move(message));
}

/// A finite number from `least` to `most`: CLI::Range takes NaN, which is neither below nor above.
CLI::Validator number_from(double least, double most, const std::string& bounds) {
  return {[=](std::string& text) {
            double value = 0.0;
            if (CLI::detail::lexical_cast(text, value) && value >= least && value <= most) return std::string();
            return "'" + text + "' is no " + (bounds.empty() ? "finite number" : "number from " + bounds);
          },
          bounds};
}
CLI::Validator finite_number() {
  return number_from(std::numeric_limits<double>::lowest(), std::numeric_limits<double>::max(), "");
}

struct Commands {
  const CLI::App* compare;
  const CLI::App* measure;
};

Commands add_options(CLI::App& app, Arguments& a, Words& w) {
  const auto list = [&](const char* name, std::vector<std::string>& into, const char* help) {
    app.add_option(name, into, help)->expected(1)->take_all();
  };
  app.add_option("SESSION", a.session, "The session file");
  app.add_option("-o,--output", w.output, "The file to make, its ending says the format; or - for standard output");
  app.add_option("--from", w.from, "Where on the timeline to begin; else 0");
  auto* to = app.add_option("--to", w.to, "Where to end; else with the last timeline player");
  app.add_option("--for", w.length, "How long, instead of --to")->excludes(to);
  app.add_option("--tail", w.tail, "So much longer, or \"auto\": until it has faded away");
  app.add_option("--rate", a.options.sample_rate_hz, "Hz; else the session's, else 48000")->check(finite_number());
  app.add_option("--bits", w.bits, "16, 24 or 32f (float, the default)")->check(CLI::IsMember({"16", "24", "32f"}));
  app.add_option("--dither", w.dither, "none or tpdf")->check(CLI::IsMember({"none", "tpdf"}));
  list("--set", a.sets, "NODE.PARAM=VALUE: another value than the session's; may be repeated");
  list("--media", a.media, "NAME=FILE: play FILE where the session names the media NAME; may be repeated");
  list("--input", a.inputs, "NODE=FILE: FILE for the player NODE, or for the device's inputs (in=FILE)");
  list("--media-root", w.roots, "NAME=FOLDER, for media named \"NAME:file\"; may be repeated");
  app.add_option("--threads", a.options.threads, "Threads that read files and run the graph; changes no sample")
      ->check(CLI::Range(1u, Crew::kMaxMembers));
  app.add_option("--block", a.options.block_frames, "Frames that the engine renders at once; changes no sample")
      ->check(CLI::Range(1, 65536));
  app.add_flag("--loudness", a.options.loudness, "Measure the output: loudness, its range, true peak (EBU R 128)");
  list("--loudness-of", a.options.stems.nodes,
       "Also of NODE: a track, a bus, any node that gives sound; may be repeated; the output is measured, too");
  app.add_flag("--loudness-stems", a.options.stems.all, "Also of every track and every bus");
  app.add_flag("--verify", a.verify, "Render twice, with other blocks and threads, and compare");
  app.add_flag("--force", a.options.overwrite, "Replace an existing output, but none of the files that are read");
  app.add_flag("--check", w.check, "Only check the session and its media");
  app.add_flag("--progress", a.progress, "Show how far it is, on standard error");
  constexpr const char* kPrograms = "For programs that run this one";
  app.add_flag("--progress-json", a.progress_json,
               "Lines {\"progress\":0.5} before the answer; whoever read them and goes ends the render")
      ->group(kPrograms);
  app.add_option("--base", w.base, "ROOT:FOLDER where relative media names begin, or none; else the session's folder")
      ->group(kPrograms);
  app.add_option("--output-fd", w.into, "An empty file's descriptor to write to; -o says the format and the name")
      ->check(CLI::Range(3, 1 << 20))
      ->group(kPrograms);
  app.add_flag("--silent-missing", a.options.silent_missing, "Media that cannot be played are silent, and a warning")
      ->group(kPrograms);
  app.add_flag("--json", a.json, "Answer in one line of JSON");
  CLI::App* comparing = app.add_subcommand("compare", "Compare two audio files sample by sample");
  comparing->add_option("A", a.a, "An audio file")->required();
  comparing->add_option("B", a.b, "Another")->required();
  comparing
      ->add_option("--offset", w.offset, "By how many frames B begins later (less than 0: A), or \"auto\": find it")
      ->expected(1);
  CLI::App* measuring = app.add_subcommand(
      "measure", "Loudness (EBU R 128), true peak, sample peak, clipped samples and silence of audio files");
  measuring->add_option("FILE", a.files, "Audio files")->required();
  measuring->add_option(
      "--channels", a.measure.layout,
      "mono, stereo, 3.0, quad, 5.0, 5.1, 7.1, all (each as it is), or a factor for each with commas; "
      "else as their number suggests");
  measuring->add_option("--silence-below", a.measure.silence_db, "dB of full scale that sound must exceed; else -60")
      ->check(number_from(-200.0, 100.0, "-200 to 100"));
  measuring->add_option("--silence-for", a.measure.silence_s, "Seconds of quiet that are a silence; else 1")
      ->check(number_from(0.0, 1e6, "0 to 1000000"));
  return {comparing, measuring};
}

Result<> settle_offset(const std::string& text, Offset& offset) {
  if (text.empty()) return {};
  if (text == "auto") {
    offset = FindOffset{};
    return {};
  }
  constexpr std::int64_t kMost = std::int64_t{1} << 48;
  std::int64_t frames = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), frames);
  if (status != std::errc{} || end != text.data() + text.size() || frames < -kMost || frames > kMost)
    return usage("--offset", "\"" + text + "\" is not a number of frames, nor auto");
  offset = frames;
  return {};
}

Result<> settle_times(const Words& w, RenderOptions& options) {
  const auto from = parse_time(w.from, "--from");
  if (!from) return from.error();
  options.from = *from;
  options.tail_auto = w.tail == "auto";
  for (const auto& [text, field, into] :
       {std::tuple(&w.to, "--to", &options.to), std::tuple(&w.length, "--for", &options.length),
        std::tuple(&w.tail, "--tail", &options.tail)}) {
    if (text->empty() || *text == "auto") continue;
    const auto time = parse_time(*text, field);
    if (!time) return time.error();
    *into = *time;
  }
  if (w.to == "auto" || w.length == "auto") return usage("--to", "only --tail can be auto");
  return {};
}

Result<> settle_format(const Words& w, RenderOptions& options) {
  using media::SampleFormat;
  if (w.output.empty()) return usage("-o", "say where to: -o OUT.wav");
  std::optional<media::Container> container = media::Container::wav;
  if (w.output == "-") {
    if (::isatty(STDOUT_FILENO) != 0)
      return usage("-o", "standard output is a terminal; send it to a program or a file");
    options.pipe = STDOUT_FILENO;
  } else {
    options.pipe.reset();
    options.output = w.output;
    if (w.into >= 0) options.into = w.into;
    container = media::container_of(options.output);
    if (!container) return usage("-o", w.output + ": name it .wav, .w64, .aiff or .flac");
  }
  const bool flac = container == media::Container::flac;
  if (flac && w.bits == "32f") return usage("--bits", "a FLAC file holds no floats; take 16 or 24");
  options.format = w.bits == "16"           ? SampleFormat::pcm16
                   : w.bits == "24" || flac ? SampleFormat::pcm24
                                            : SampleFormat::float32;
  const bool dithered = w.dither.empty() ? options.format == SampleFormat::pcm16 : w.dither == "tpdf";
  options.dither = dithered ? media::Dither::tpdf : media::Dither::none;
  return {};
}

/// The session's own folder is the root without a name, see Roots.
Result<> settle_roots(const Words& w, const std::string& session, RenderOptions& options) {
  std::filesystem::path folder = std::filesystem::path(session).parent_path();
  if (folder.empty()) folder = ".";
  std::map<std::string, std::filesystem::path> roots{{"", folder}};
  for (const std::string& root : w.roots) {
    const std::size_t equals = root.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == root.size() || root.find_first_of(":/") < equals)
      return usage("--media-root", "\"" + root + "\" is not NAME=FOLDER");
    roots[root.substr(0, equals)] = root.substr(equals + 1);
  }
  options.base = ":";
  if (!w.base.empty()) {
    if (w.base != "none" && w.base.find(':') == std::string::npos)
      return usage("--base", "\"" + w.base + "\" is not ROOT:FOLDER, nor none");
    options.base = w.base == "none" ? "" : w.base;
    roots.erase("");
  }
  options.roots = media::Roots(std::move(roots));
  return {};
}

}  // namespace

Result<> parse_arguments(int argc, char** argv, Arguments& arguments) {
  Words words;
  CLI::App app("Renders a Continuo session offline, faster than real time", "continuo-render");
  app.set_version_flag("-V,--version", "continuo-render " CONTINUO_VERSION);
  app.footer(kFooter);
  app.fallthrough();
  const Commands commands = add_options(app, arguments, words);
  // Known before anything is said: standard output may belong to the samples.
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const bool output = std::string_view(argv[i - 1]) == "-o" || std::string_view(argv[i - 1]) == "--output";
    if (word == "-o-" || word == "--output=-" || (output && word == "-")) arguments.options.pipe = STDOUT_FILENO;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    (void)app.exit(success);
    arguments.task = Task::said;
    return {};
  } catch (const CLI::ParseError& error) {
    return usage("", std::string(error.what()) + "; see continuo-render --help");
  }
  arguments.task = commands.compare->parsed()   ? Task::compare
                   : commands.measure->parsed() ? Task::measure
                   : words.check                ? Task::check
                                                : Task::render;
  if (arguments.task == Task::measure) return {};
  if (arguments.task == Task::compare) return settle_offset(words.offset, arguments.offset);
  if (arguments.session.empty()) return usage("SESSION", "name a session file; see continuo-render --help");
  if (auto ok = settle_roots(words, arguments.session, arguments.options); !ok) return ok;
  if (arguments.task == Task::check) return {};
  if (auto ok = settle_format(words, arguments.options); !ok) return ok;
  arguments.options.session = arguments.session;
  arguments.options.loudness |= arguments.options.stems.any();
  arguments.options.digest = arguments.json;
  arguments.options.checksums = arguments.verify;
  return settle_times(words, arguments.options);
}

}  // namespace continuo::render
