# comment
image_tag = "1.4.1"
 image_tag = "1.4.1"
