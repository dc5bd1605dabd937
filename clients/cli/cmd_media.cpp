// THREAD: any - media ls, probe, put, get, rm, scan
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <span>

#include "clients/cli/failure.hpp"
#include "clients/cli/job_text.hpp"
#include "clients/cli/local_file.hpp"
#include "clients/cli/media_client.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/sha256.hpp"
#include "clients/cli/table.hpp"
#include "clients/cli/time_text.hpp"

namespace continuo::cli {
namespace {

constexpr std::size_t kPieceBytes = 512 * 1024;

struct MediaOptions {
  std::vector<std::string> paths;
  std::string path;
  std::string file;
  bool wide = false;
  bool recursive = false;
  bool force = false;
  bool no_resume = false;
  bool wait = false;
};

MediaClient client_of(Context& context) {
  return {context.connection().address(),
          std::chrono::milliseconds(static_cast<std::int64_t>(context.timeout_seconds * 1000.0))};
}

/// A file that is sent: read twice, first for its SHA-256.
class Sending {
 public:
  explicit Sending(const std::string& file)
      : name_(file), fd_(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    struct stat status{};
    if (fd_ < 0 || ::fstat(fd_, &status) != 0) {
      const int code = errno;
      if (fd_ >= 0) ::close(fd_);
      throw cannot_open(file, code);
    }
    if (!S_ISREG(status.st_mode)) {
      ::close(fd_);
      throw Failure(kNoInput, "NOT_A_FILE", file, "'" + file + "' is not a regular file");
    }
    size_ = status.st_size;
  }
  Sending(const Sending&) = delete;
  Sending& operator=(const Sending&) = delete;
  ~Sending() { ::close(fd_); }

  [[nodiscard]] std::int64_t size() const { return size_; }
  void seek(std::int64_t at) { at_ = at; }
  std::string read() {
    std::string piece(static_cast<std::size_t>(std::min<std::int64_t>(kPieceBytes, size_ - at_)), '\0');
    if (piece.empty()) return piece;
    ssize_t got = 0;
    do {
      got = ::pread(fd_, piece.data(), piece.size(), at_);
    } while (got < 0 && errno == EINTR);
    if (got <= 0)
      throw Failure(kIoError, "READ_FAILED", name_,
                    "cannot read '" + name_ + "': " + (got < 0 ? std::strerror(errno) : "it became shorter meanwhile"));
    piece.resize(static_cast<std::size_t>(got));
    at_ += got;
    return piece;
  }
  [[nodiscard]] std::string sha256() {
    Sha256 sum;
    for (std::string piece = read(); !piece.empty(); piece = read()) sum.add(std::as_bytes(std::span(piece)));
    return sum.hex();
  }

 private:
  const std::string name_;
  const int fd_;
  std::int64_t size_ = 0;
  std::int64_t at_ = 0;
};

std::string file_name(const std::string& path) { return path.substr(path.find_last_of(":/") + 1); }

int list(Context& context, const MediaOptions& options) {
  Table table(options.wide ? std::vector<std::string>{"PATH", ">BYTES", "MODIFIED"} : std::vector<std::string>{"PATH"});
  client_of(context).list(options.path, options.recursive, 0, [&](const v1::MediaEntry& entry) {
    if (context.json) return print_line(to_json_line(entry));
    const bool folder = entry.kind() == v1::MediaEntry::KIND_FOLDER;
    const std::string name = entry.path() + (folder && !entry.path().ends_with(':') ? "/" : "");
    if (!options.wide) return print_line(printable(name));
    table.add({name, folder ? "" : std::to_string(entry.bytes()), entry.modified()});
  });
  if (options.wide && !context.json) table.print();
  return kOk;
}

std::string markers_text(const v1::ProbeMediaResponse& found) {
  return found.markers_size() == 0 ? "" : format("%d", found.markers_size());
}

int probe(Context& context, const MediaOptions& options) {
  MediaClient client = client_of(context);
  Table table({"PATH", "FORMAT", ">HZ", ">CHANNELS", ">FRAMES", ">LENGTH", ">MARKERS", "STARTS"});
  bool all = true;
  for (const std::string& path : options.paths) {
    const v1::ProbeMediaResponse found = client.probe(path);
    all = all && found.playable();
    if (context.json) {
      print_line(to_json_line(found));
    } else if (!found.playable()) {
      note(found.why_not());
    } else {
      const bool same = found.container() == found.sample_format() || found.sample_format().empty();
      table.add({path, found.container() + (same ? "" : " " + found.sample_format()),
                 std::to_string(found.sample_rate_hz()), std::to_string(found.channels()),
                 std::to_string(found.frames()), time_text(found.frames(), found.sample_rate_hz()), markers_text(found),
                 found.has_broadcast()
                     ? format("%lluf", static_cast<unsigned long long>(found.broadcast().time_reference()))
                     : ""});
    }
  }
  if (!table.empty()) table.print();
  return all ? kOk : kBadData;
}

int put(Context& context, const MediaOptions& options) {
  Sending file(options.file);
  v1::UploadMediaRequest::Begin begin;
  begin.set_path(options.path + (options.path.ends_with(':') || options.path.ends_with('/')
                                     ? std::filesystem::path(options.file).filename().string()
                                     : ""));
  begin.set_total_bytes(file.size());
  begin.set_sha256(file.sha256());
  begin.set_overwrite(options.force);
  MediaClient client = client_of(context);
  if (!options.no_resume) begin.set_start(client.get_upload(begin).received_bytes());
  if (begin.start() > 0 && on_terminal())
    note(format("going on from byte %lld", static_cast<long long>(begin.start())));
  file.seek(begin.start());
  client.upload(begin, [&file] { return file.read(); });
  if (context.json)
    print_line("{\"path\":" + json_string(begin.path()) + ",\"bytes\":" + std::to_string(file.size()) +
               ",\"started_at\":" + std::to_string(begin.start()) + ",\"sha256\":\"" + begin.sha256() + "\"}");
  else
    print_line(printable(begin.path()));
  return kOk;
}

int get(Context& context, const MediaOptions& options) {
  std::string file = options.file.empty() ? file_name(options.path) : options.file;
  const bool to_stdout = file == "-";
  std::error_code error;
  if (!to_stdout && (file.ends_with('/') || std::filesystem::is_directory(file, error)))
    file = (std::filesystem::path(file) / file_name(options.path)).string();
  MediaClient client = client_of(context);
  v1::DownloadMediaRequest request;
  request.set_path(options.path);
  request.set_sha256(true);
  std::unique_ptr<NewFile> fresh;
  if (!to_stdout) fresh = std::make_unique<NewFile>(file, options.force);
  Sha256 sum;
  std::int64_t bytes = 0;
  const std::string told = client.download(request, [&](std::string_view data) {
    sum.add(std::as_bytes(std::span(data)));
    bytes += static_cast<std::int64_t>(data.size());
    if (to_stdout)
      print_raw(data);
    else
      fresh->write(data);
  });
  const std::string sha256 = sum.hex();
  if (told != sha256)
    throw Failure(kIoError, "SHA256_MISMATCH", options.path,
                  "what came of '" + options.path + "' is not what was sent");
  if (to_stdout) return kOk;
  fresh->publish();
  if (context.json)
    print_line("{\"file\":" + json_string(file) + ",\"bytes\":" + std::to_string(bytes) + ",\"sha256\":\"" + sha256 +
               "\"}");
  else if (on_terminal())
    print_line("wrote " + printable(file));
  return kOk;
}

int remove(Context& context, const MediaOptions& options) {
  MediaClient client = client_of(context);
  for (const std::string& path : options.paths) {
    client.remove(path);
    if (context.json) print_line("{\"deleted\":" + json_string(path) + "}");
  }
  return kOk;
}

int scan(Context& context, const MediaOptions& options) {
  v1::StartScanRequest request;
  request.set_path(options.path);
  JobClient client = job_client(context);
  v1::Job job = client.start_scan(request);
  if (!options.wait) {
    print_line(context.json ? to_json_line(job) : std::to_string(job.job_id()));
    return kOk;
  }
  job = wait_for(context, client, job);
  if (!context.json) {
    for (const auto& broken : job.scan().broken())
      print_line(printable(broken.file() + ": " + broken.message() + " (" + broken.reason() + ")"));
    print_line(outcome_text(job));
  }
  return job.scan().broken_count() == 0 ? kOk : kBadData;
}

}  // namespace

void add_media_commands(CLI::App& app, Context& context) {
  CLI::App* media =
      app.add_subcommand("media", "List, look into, send and fetch the daemon's files")->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, int (*action)(Context&, const MediaOptions&)) {
    auto options = std::make_shared<MediaOptions>();
    CLI::App* command = media->add_subcommand(name, help);
    command->callback([&context, options, action] {
      context.run = [&context, options, action] { return action(context, *options); };
    });
    return std::pair(command, options);
  };
  constexpr const char* kPath = "ROOT:PATH; 'takes:' is the take folder";

  auto [listing, list_options] = add("ls", "What is in a folder; the roots themselves without one", list);
  listing->add_option("FOLDER", list_options->path, "ROOT: or ROOT:FOLDER");
  listing->add_flag("-l,--long", list_options->wide, "With length and time");
  listing->add_flag("-r,--recursive", list_options->recursive, "With what is in its folders");

  auto [probing, probe_options] = add("probe", "Format, channels, length and markers of sound files", probe);
  probing->add_option("PATH", probe_options->paths, kPath)->required();

  auto [putting, put_options] = add("put", "Send a file; goes on where an interrupted one ended", put);
  putting->add_option("FILE", put_options->file, "The file here")->required();
  putting->add_option("PATH", put_options->path, "ROOT:PATH; its name stays where this ends in ':' or '/'")->required();
  putting->add_flag("--force", put_options->force, "Replace an existing file");
  putting->add_flag("--no-resume", put_options->no_resume, "From its beginning, whatever came before");

  auto [getting, get_options] = add("get", "Fetch a file", get);
  getting->add_option("PATH", get_options->path, kPath)->required();
  getting->add_option("FILE", get_options->file,
                      "Where to, or a folder; '-' is standard output; else its own name, here");
  getting->add_flag("--force", get_options->force, "Replace an existing file");

  auto [removing, remove_options] = add("rm", "Delete files that nothing uses", remove);
  removing->add_option("PATH", remove_options->paths, kPath)->required();

  auto [scanning, scan_options] = add("scan", "Read every sound file below a folder to its end, as a job", scan);
  scanning->add_option("PATH", scan_options->path, "ROOT: or ROOT:FOLDER")->required();
  scanning->add_flag("--wait", scan_options->wait, "Wait, and name the broken ones; exit code 65 where there are any");
}

}  // namespace continuo::cli
