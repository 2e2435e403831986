// Photos made small on the phone or tablet before they go over a slow line, or are kept for later.

const SIDE = 1600;
const SMALL_ENOUGH = 400_000;
const QUALITY = 0.8;

/** A photo of a phone's camera in the size that the doctor gets anyway; anything else as it is.
 * @param {File} file @returns {Promise<Blob>} */
export async function madeSmall(file) {
  if (!/^image\/(jpeg|png)$/.test(file.type) || file.size < SMALL_ENOUGH) return file;
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    const paint = canvas.getContext("2d");
    if (!paint) return file;
    paint.fillStyle = "#fff";
    paint.fillRect(0, 0, canvas.width, canvas.height);
    paint.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    const small = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    return small instanceof Blob && small.size < file.size ? small : file;
  } catch {
    // What this browser cannot read, the server looks at.
    return file;
  }
}
