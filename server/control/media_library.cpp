#include "server/control/media_library.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "server/base/log.hpp"
#include "server/media/browse.hpp"
#include "server/media/file_notes.hpp"
#include "server/media/probe.hpp"
#include "server/media/take_file.hpp"

namespace continuo::control {
namespace {

namespace fs = std::filesystem;

Error about_path(Error error) {
  if (error.reason == "NO_BASE")
    error =
        make_error(ErrorKind::invalid_argument, "NO_ROOT", "path", "name a media root: \"root:" + error.field + "\"");
  error.field = "path";
  return error;
}

v1::MediaEntry entry_of(const std::string& folder, const media::BrowseEntry& found) {
  v1::MediaEntry entry;
  entry.set_path(folder + (folder.ends_with(':') ? "" : "/") + found.path);
  entry.set_kind(found.folder ? v1::MediaEntry::KIND_FOLDER : v1::MediaEntry::KIND_FILE);
  entry.set_bytes(found.bytes);
  entry.set_modified(utc_text(found.modified_ns));
  return entry;
}

Result<v1::ListMediaResponse> list_on_line(const media::Roots& roots, const v1::ListMediaRequest& request) {
  std::string folder = request.path();
  while (folder.ends_with('/')) folder.pop_back();
  const std::uint32_t size = request.page_size() == 0 ? MediaLibrary::kPage : request.page_size();
  const auto page = media::browse(roots, folder, request.recursive(), request.page_token(), size);
  if (!page) return about_path(page.error());
  v1::ListMediaResponse response;
  for (const media::BrowseEntry& found : page->entries) *response.add_entries() = entry_of(folder, found);
  if (page->more) response.set_next_page_token(page->entries.back().path);
  return response;
}

void describe(const media::FileNotes& notes, v1::ProbeMediaResponse& out) {
  if (notes.broadcast) {
    auto& broadcast = *out.mutable_broadcast();
    broadcast.set_description(notes.broadcast->description);
    broadcast.set_originator(notes.broadcast->originator);
    broadcast.set_originator_reference(notes.broadcast->originator_reference);
    broadcast.set_date(notes.broadcast->date);
    broadcast.set_time(notes.broadcast->time);
    broadcast.set_time_reference(notes.broadcast->time_reference);
  }
  for (const media::MarkNote& mark : notes.marks) {
    auto& marker = *out.add_markers();
    marker.set_frame(mark.frame);
    marker.set_label(mark.label);
  }
}

Result<v1::ProbeMediaResponse> probe_on_line(const media::Roots& roots, const std::string& name) {
  const auto file = roots.find_file(name, "");
  if (!file) return about_path(file.error());
  v1::ProbeMediaResponse response;
  response.set_path(name);
  struct stat status{};
  if (::stat(file->c_str(), &status) != 0) return about_path(media::disk_error(errno, *file, "cannot read"));
  response.set_bytes(status.st_size);
  response.set_modified(utc_text(status.st_mtim.tv_sec * std::int64_t{1'000'000'000}));
  const auto info = media::probe(*file);
  if (!info && info.error().reason != "NOT_AUDIO") return about_path(info.error());
  response.set_playable(static_cast<bool>(info));
  if (!info) {
    response.set_why_not(info.error().message);
    return response;
  }
  const media::FileNotes notes = media::read_notes(*file);
  response.set_container(notes.bw64 ? "BW64" : info->container);
  response.set_sample_format(info->sample_format);
  response.set_sample_rate_hz(info->sample_rate_hz);
  response.set_channels(info->channels);
  response.set_frames(info->frames);
  response.set_seconds(static_cast<double>(info->frames) / info->sample_rate_hz);
  describe(notes, response);
  return response;
}

/// By what lies on the disk, not by name: the session may know the file by another one.
Result<> check_unused(const media::Roots& roots, const MediaLibrary::InUse& in_use, const std::string& name,
                      const struct stat& wanted) {
  std::string users;
  int more = 0;
  for (const auto& one : in_use.all) {
    const auto file = roots.find_file(one.file, in_use.base);
    struct stat used{};
    if (!file || ::stat(file->c_str(), &used) != 0) continue;
    if (used.st_dev != wanted.st_dev || used.st_ino != wanted.st_ino || users.find(one.user) != std::string::npos)
      continue;
    if (users.size() < 500)
      users += (users.empty() ? "" : ", ") + one.user;
    else
      ++more;
  }
  if (users.empty()) return {};
  if (more > 0) users += " and " + std::to_string(more) + " more";
  return make_error(ErrorKind::failed_precondition, "MEDIA_IN_USE", "path", name + " is in use by " + users);
}

Result<> check_free(const media::Roots& roots, const MediaLibrary::InUse& in_use, const std::string& name) {
  const auto file = roots.find_file(name, "");
  struct stat status{};
  if (!file || ::stat(file->c_str(), &status) != 0) return {};  // nothing there that could be used
  return check_unused(roots, in_use, name, status);
}

/// By the folder on the disk and the name in it: two roots may hold one folder. What a take will be called is its own
/// before it is there.
Result<> check_no_take(const media::Roots& roots, const MediaLibrary::InUse& in_use, const std::string& name) {
  const auto folder_of = [&](const std::string& file, struct stat& status) {
    const auto folder = roots.find_folder(media::split_name(file).folder);
    return folder && ::stat(folder->c_str(), &status) == 0;
  };
  const std::string wanted = fs::path(name.substr(name.find(':') + 1)).lexically_normal().filename().string();
  const std::string root = name.substr(0, name.find(':') + 1);
  const std::string plain = root + fs::path(name.substr(root.size())).lexically_normal().string();
  struct stat mine{}, other{};
  if (!folder_of(plain, mine)) return {};  // it will be made, so nothing is in it
  for (const auto& one : in_use.all) {
    if (!one.take || media::split_name(one.file).name != wanted || !folder_of(one.file, other)) continue;
    if (mine.st_dev == other.st_dev && mine.st_ino == other.st_ino)
      return make_error(ErrorKind::failed_precondition, "MEDIA_IN_USE", "path", name + " is in use by " + one.user);
  }
  return {};
}

Result<v1::DeleteMediaResponse> delete_on_line(const media::Roots& roots, const MediaLibrary::InUse& in_use,
                                               const std::string& name) {
  const auto file = roots.find_file(name, "");
  if (!file) return about_path(file.error());
  if (Result<> free = check_free(roots, in_use, name); !free) return free.error();
  // The name itself goes: of a link, the link.
  const auto parts = media::split_name(name);
  const auto folder = roots.find_folder(parts.folder);
  if (!folder) return about_path(folder.error());
  const fs::path path = *folder / parts.name;
  if (::unlink(path.c_str()) != 0) return about_path(media::disk_error(errno, path, "cannot delete"));
  static_cast<void>(media::sync_names_of(*folder));
  log::info("media: {} was deleted", name);
  return v1::DeleteMediaResponse();
}

Result<std::monostate> check_place_on_line(const media::Roots& roots, const MediaLibrary::InUse& in_use,
                                           const std::string& name, bool overwrite) {
  const auto about = [&](Error error) {
    if (error.reason == "FILE_NOT_FOUND")
      error = make_error(ErrorKind::not_found, "FOLDER_NOT_FOUND", "",
                         std::string(media::split_name(name).folder) + " is no folder: make it first");
    error.field = "file";
    return error;
  };
  const auto parts = media::split_name(name);
  const auto folder = roots.open_folder(parts.folder);
  if (!folder) return about(folder.error());
  if (parts.name.starts_with('.'))
    return make_error(ErrorKind::permission_denied, "HIDDEN_FILE", "file",
                      name + ": names that begin with a dot are not served");
  if (Result<> free = check_no_take(roots, in_use, name); !free) return about(free.error());
  struct stat status{};
  if (::fstatat(folder->get(), std::string(parts.name).c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno != ENOENT) return about(media::disk_error(errno, name, "cannot make"));
    return std::monostate{};
  }
  if (!overwrite) return about(media::disk_error(EEXIST, name, "cannot make"));
  if (!S_ISREG(status.st_mode))
    return make_error(ErrorKind::invalid_argument, "NOT_A_FILE", "file", "not a regular file: " + name);
  if (Result<> free = check_unused(roots, in_use, name, status); !free) return about(free.error());
  return std::monostate{};
}

}  // namespace

struct MediaLibrary::Shared {
  media::Roots roots;
  std::shared_ptr<media::Uploads> uploads;
};

MediaLibrary::MediaLibrary(media::Roots roots, fs::path state_folder, AskInUse ask, IdleTransfers::Now now)
    : shared_(std::make_shared<Shared>()), ask_(std::move(ask)), idle_(kIdle, std::move(now)) {
  shared_->uploads = std::make_shared<media::Uploads>(roots, std::move(state_folder));
  shared_->roots = std::move(roots);
}

MediaLibrary::~MediaLibrary() { close(); }

void MediaLibrary::close() {
  std::set<std::shared_ptr<std::function<void()>>> waiting;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    waiting.swap(waiting_);
  }
  for (const auto& drop : waiting) (*drop)();
}

/// The answer, kept where close() finds it. Where the library is gone when the work is done, nobody waits any more.
template <class T>
MediaLibrary::Done<T> MediaLibrary::guard(Done<T> done) {
  struct Box {
    std::mutex mutex;
    Done<T> done;
    Done<T> take() {
      const std::lock_guard lock(mutex);
      return std::exchange(done, nullptr);
    }
  };
  auto box = std::make_shared<Box>();
  box->done = std::move(done);
  auto drop = std::make_shared<std::function<void()>>([box] { static_cast<void>(box->take()); });
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      box->take();
      return [](Result<T>) {};
    }
    waiting_.insert(drop);
  }
  return [this, box, drop](Result<T> result) {
    const Done<T> answer = box->take();
    if (!answer) return;  // close() was first: `this` may be gone
    {
      const std::lock_guard lock(mutex_);
      waiting_.erase(drop);
    }
    answer(std::move(result));
  };
}

std::string MediaLibrary::root_of(const std::string& path) const {
  std::string root = path.substr(0, std::min(path.find(':'), path.size()));
  return shared_->roots.folders().contains(root) ? root : std::string();  // of none: a name that will be refused
}

template <class T, class Work>
void MediaLibrary::on_line(DiskLines& lines, const std::string& path, Done<T> done, Work work) {
  const std::string root = root_of(path);
  auto line = lines.try_open(root);
  if (!line) {
    return done(make_error(ErrorKind::resource_exhausted, "MEDIA_BUSY", "path",
                           "as much as can be is going on in the media root \"" + root + "\": try again"));
  }
  auto* const where = line.get();
  where->post([line = std::move(line), work = std::move(work), done = std::move(done)]() mutable { work(line, done); });
}

void MediaLibrary::list(v1::ListMediaRequest request, Done<v1::ListMediaResponse> done) {
  if (request.page_size() > kMaxPage)
    return done(make_error(ErrorKind::invalid_argument, "BAD_PAGE_SIZE", "page_size", "a page has 1 to 1000 entries"));
  if (request.path().empty()) {
    v1::ListMediaResponse response;
    for (const auto& [name, folder] : shared_->roots.folders()) {
      auto& entry = *response.add_entries();
      entry.set_path(name + ":");
      entry.set_kind(v1::MediaEntry::KIND_FOLDER);
    }
    return done(std::move(response));
  }
  const std::string path = request.path();
  on_line(questions_, path, guard(std::move(done)),
          [shared = shared_, request = std::move(request)](const auto&, const Done<v1::ListMediaResponse>& answer) {
            answer(list_on_line(shared->roots, request));
          });
}

void MediaLibrary::probe(v1::ProbeMediaRequest request, Done<v1::ProbeMediaResponse> done) {
  on_line(questions_, request.path(), guard(std::move(done)),
          [shared = shared_, name = request.path()](const auto&, const Done<v1::ProbeMediaResponse>& answer) {
            answer(probe_on_line(shared->roots, name));
          });
}

void MediaLibrary::get_upload(v1::GetUploadRequest request, Done<v1::GetUploadResponse> done) {
  on_line(questions_, request.path(), guard(std::move(done)),
          [shared = shared_, request](const auto&, const Done<v1::GetUploadResponse>& answer) {
            const auto held = shared->uploads->held({request.path(), request.total_bytes(), request.sha256()});
            if (!held) return answer(held.error());
            v1::GetUploadResponse response;
            response.set_received_bytes(held->bytes);
            response.set_active(held->active);
            answer(std::move(response));
          });
}

void MediaLibrary::remove(v1::DeleteMediaRequest request, Done<v1::DeleteMediaResponse> done) {
  ask_([this, name = request.path(), done = guard(std::move(done))](Result<InUse> in_use) mutable {
    if (!in_use) return done(in_use.error());
    on_line(
        questions_, name, std::move(done),
        [shared = shared_, name, used = *std::move(in_use)](const auto&, const Done<v1::DeleteMediaResponse>& answer) {
          answer(delete_on_line(shared->roots, used, name));
        });
  });
}

void MediaLibrary::check_place(std::string name, bool overwrite, Done<std::monostate> done) {
  ask_([this, name = std::move(name), overwrite, done = guard(std::move(done))](Result<InUse> in_use) mutable {
    if (!in_use) return done(in_use.error());
    on_line(questions_, name, std::move(done),
            [shared = shared_, name, overwrite, used = *std::move(in_use)](const auto&,
                                                                           const Done<std::monostate>& answer) {
              answer(check_place_on_line(shared->roots, used, name, overwrite));
            });
  });
}

void MediaLibrary::upload(v1::UploadMediaRequest::Begin begin, Done<std::shared_ptr<MediaUpload>> done) {
  auto go_on = [this, begin, done = guard(std::move(done))](Result<InUse> in_use) mutable {
    if (!in_use) return done(in_use.error());
    const std::string path = begin.path();
    on_line(uploads_, path, std::move(done),
            [shared = shared_, begin = std::move(begin), used = *std::move(in_use)](
                const std::shared_ptr<DiskLines::Line>& line, const Done<std::shared_ptr<MediaUpload>>& answer) {
              if (Result<> free = check_no_take(shared->roots, used, begin.path()); !free) return answer(free.error());
              if (begin.overwrite()) {
                if (Result<> free = check_free(shared->roots, used, begin.path()); !free) return answer(free.error());
              }
              auto writer = shared->uploads->begin({begin.path(), begin.total_bytes(), begin.sha256()}, begin.start(),
                                                   begin.overwrite());
              if (!writer) return answer(writer.error());
              answer(std::make_shared<MediaUpload>(line, shared->uploads, *std::move(writer)));
            });
  };
  ask_(std::move(go_on));
}

void MediaLibrary::download(v1::DownloadMediaRequest request, Done<std::shared_ptr<MediaDownload>> done) {
  on_line(downloads_, request.path(), guard(std::move(done)),
          [shared = shared_, request](const std::shared_ptr<DiskLines::Line>& line,
                                      const Done<std::shared_ptr<MediaDownload>>& answer) {
            const auto file = shared->roots.find_file(request.path(), "");
            if (!file) return answer(about_path(file.error()));
            const std::optional<std::int64_t> length =
                request.has_length() ? std::optional(request.length()) : std::nullopt;
            auto reader = media::RangeReader::open(*file, request.offset(), length, request.sha256());
            if (!reader) {
              const bool range = reader.error().reason == "OUT_OF_RANGE";
              return answer(range ? reader.error() : about_path(reader.error()));
            }
            answer(std::make_shared<MediaDownload>(line, *std::move(reader)));
          });
}

}  // namespace continuo::control
